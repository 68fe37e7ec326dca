"""The inequality of Cauchy and Schwarz, for sums over any number of indices."""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Idx
from ..language.terms import Add, Mul, Num, Term, add, mul
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Tools, prove_equation
from .order import le_to, nonneg, ring_le

At = Callable[..., Term]  # a term at one index, or at several


def cauchy(k: Kernel, ctx: Context, over: Callable[[At], Term], a: At, c: At) -> Theorem:
    """(sum a c)^2 <= (sum a^2) (sum c^2): the difference is half the sum of (a_p c_q - a_q c_p)^2.

    over: the sum of a term over its indices, like ``lambda f: total(n, f)``.
    """

    def crossed(p: tuple[Idx, ...], q: tuple[Idx, ...]) -> Term:
        d = add(mul(a(*p), c(*q)), mul(-1, a(*q), c(*p)))
        return Mul(d, d)

    product = over(lambda *p: mul(a(*p), c(*p)))
    left, right = over(lambda *p: mul(a(*p), a(*p))), over(lambda *p: mul(c(*p), c(*p)))
    half = Mul(Num(1) / 2, over(lambda *p: over(lambda *q: crossed(p, q))))
    start = Mul(product, product)
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, start)), nonneg(k, ctx, half)])
    th = ring_le(k, ctx, start, whole, Add(start, half))
    return le_to(k, th, prove_equation(k, ctx, Add(start, half), Mul(left, right), Tools()))
