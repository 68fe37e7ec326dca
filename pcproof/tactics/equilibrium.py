"""Scripts for the claims of ``rules/equilibrium``: zero energy, equilibria at the forward pass, energy and loss."""

from __future__ import annotations

from collections.abc import Mapping

from ..language.index import Con, Idx, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import ZERO, Add, App, Mul, Sum, Term, add, mul
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..proof.ring import polynomial
from .fixed_point import forward_values, x_is_mu
from .goals import Stuck, Tools, prove_equation
from .normal import normalize
from .order import nested_summand, nonneg, ring_le, square_zero, zero_terms
from .rewrite import Rewriter, by_cases, determined, then

l, b, i = qvar("l"), qvar("b"), qvar("i")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
X, Y, MU, EPS, GX, DELTA = (App(n, (l, b, i)) for n in ("x", "y", "mu", "eps", "gx", "delta"))
Out = tuple[dict[str, Theorem], list[Theorem]]


def context(*layers: Con) -> Context:
    """Layers as given, any sample, any unit."""
    return Context(EVERY, (*layers, *STATE))


def equation(k: Kernel, s: Statement, tools: Tools) -> Theorem:
    """A goal that is an equation."""
    ctx = Context(s.variables, s.guards)
    if not isinstance(s.relation, Eq):
        raise Stuck(ctx, s.relation, "an equation is expected")
    return prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, tools)


# -- zero energy ------------------------------------------------------------------
def below_energy_script(k: Kernel, claim: Claim) -> Out:
    """Each square is a summand of three nested sums of squares; what bounds the sum bounds it."""
    below = claim.goals[0]
    ctx = Context(below.variables, below.guards)
    assert isinstance(below.relation, Le)
    energy = below.relation.rhs
    th = nested_summand(k, ctx, energy, (l, b, i))
    known = k.le_trans(th, k.hypothesis(ctx, "energy_bounded", {}))
    low = k.le_trans(nonneg(k, Context(), energy), k.hypothesis(Context(), "energy_bounded", {}))
    return {}, [th, known, low]


def zero_energy_script(k: Kernel, claim: Claim) -> Out:
    """F = 0: each square is 0, so each error is; then x = mu, and x = y by induction over the layers."""
    ctx = Context(claim.goals[0].variables, claim.goals[0].guards)
    zero = square_zero(k, zero_terms(k, ctx, k.hypothesis(ctx, "zero_energy", {}), (l, b, i)))
    same = x_is_mu(k, zero)
    return {"errors_are_zero": zero}, [zero, same, forward_values(k, same)]


# -- equilibria at the forward pass ---------------------------------------------
def above_output(k: Kernel) -> Theorem:
    """x = y from layer 1 up: at the hidden layers by hypothesis, at the input because both are s_in."""
    ctx = context(ge(l, 1), le(l, L))
    tools = Tools(lazy=("y",))
    return by_cases(k, ctx, lt(l, L), Eq(X, Y), lambda c, _: prove_equation(k, c, X, Y, tools))


def forward(k: Kernel) -> list[Theorem]:
    """x = y above the output, so mu = y below the input."""
    state = above_output(k)
    same = prove_equation(k, context(ge(l, 0), lt(l, L)), MU, Y, Tools([state], lazy=("mu", "y")))
    return [state, same]


def hidden_errors(k: Kernel, known: list[Theorem]) -> Theorem:
    """x = y above the output: hidden errors are 0."""
    return prove_equation(k, context(ge(l, 1), lt(l, L)), EPS, ZERO, Tools(known, lazy=("eps",)))


def multiple(t: Term, of: Term) -> Term | None:
    """q with t = q of, where ``of`` is one monomial."""
    divisor, whole = polynomial(of), polynomial(t)
    if len(divisor) != 1:
        return None
    ((head, number),) = divisor.items()
    out: list[Term] = []
    for m, c in whole.items():
        left = dict(m)
        for atom, e in head:
            left[atom] = left.get(atom, 0) - e
        if any(e < 0 for e in left.values()):
            return None
        out.append(mul(c / number, *(a for a, e in left.items() for _ in range(e))))
    return add(*out)


def errors_are_deltas(k: Kernel, known: list[Theorem], zero: Theorem) -> Theorem:
    """At an equilibrium at the forward pass: eps = delta, by induction over layers.

    At the output both are s_out - y.  At a hidden layer eps is 0, so 0 = gx
    says that the feedback is 0, and delta is a multiple of it.
    """
    claim = Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(EPS, DELTA))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(l, 1)):
            return prove_equation(k, c, EPS, DELTA, Tools(known, lazy=("eps", "delta")))
        own = k.instantiate(c, zero, {"l": l, "b": b, "i": i})
        feedback = unfolded_value(k, c, GX, [zero, *known])
        none = k.trans(k.sym(feedback), k.hypothesis(c, "equilibrium", {"l": l, "b": b, "i": i}))
        delta = unfolded_value(k, c, DELTA, known)
        factor = multiple(delta.rhs, none.lhs) if none.lhs is not ZERO else None
        if factor is None:
            raise Stuck(c, Eq(delta.rhs, ZERO), "the equilibrium does not say that this is 0")
        product = Mul(factor, none.lhs)
        th = k.trans(delta, k.ring(c, delta.rhs, product))
        th = k.trans(th, k.congruence(c, product, [k.refl(c, factor), none]))
        return k.trans(own, k.sym(k.trans(th, k.ring(c, th.rhs, ZERO))))

    th = by_cases(k, ctx, ge(l, 1), claim.relation, case)
    (out,) = k.induct([claim], [l], [th])
    return out


def unfolded_value(k: Kernel, ctx: Context, t: App, lemmas: list[Theorem]) -> Theorem:
    """The value of a defined symbol, rewritten by lemmas and hypotheses, in normal form."""
    case = determined(k, ctx, t)
    if case is None:
        raise Stuck(ctx, Eq(t, t), f"the case of {t!r} is not determined")
    th = k.unfold(ctx, t, case)
    more = Rewriter(k, lemmas)(ctx, th.rhs)
    more = then(k, more, normalize(k, ctx, th.rhs if more is None else more.rhs))
    return th if more is None else k.trans(th, more)


def changes(claim: Claim) -> tuple[str, ...]:
    """The gradients by the weights and the changes of backprop."""
    return tuple(d.name for g in claim.theory.definitions for d in g if d.name not in ("mu", "eps", "gx", "y", "delta"))


def forward_equilibrium_script(k: Kernel, claim: Claim) -> Out:
    """eps = delta by induction, then the changes are the same."""
    known = forward(k)
    front = errors_are_deltas(k, known, hidden_errors(k, known))
    tools = Tools([front, *known], eager=changes(claim))
    return {"above_output": known[0], "predicted": known[1]}, [
        front,
        *(equation(k, s, tools) for s in claim.goals[1:]),
    ]


def idle_script(k: Kernel, claim: Claim) -> Out:
    """Hidden errors are x - mu = 0; deltas are the errors; changes are products with them."""
    known = forward(k)
    zero = hidden_errors(k, known)
    front = errors_are_deltas(k, known, zero)
    there = k.instantiate(zero.context, front, {"l": l, "b": b, "i": i})
    deltas = k.trans(k.sym(there), zero)
    done: dict[Term, Theorem] = {EPS: zero, DELTA: deltas}
    tools = Tools([zero, deltas, *known], eager=changes(claim))
    out = [_done(k, s, done, tools) for s in claim.goals]
    return {"predicted": known[1], "errors_are_deltas": front}, out


def zero_error_script(k: Kernel, claim: Claim) -> Out:
    """Every error is 0, delta is 0 by induction, and so is what is a product with them."""
    known = forward(k)
    ctx = context(ge(l, 0), lt(l, L))
    tools = Tools(known, lazy=("eps",))
    errors = by_cases(k, ctx, ge(l, 1), Eq(EPS, ZERO), lambda c, _: prove_equation(k, c, EPS, ZERO, tools))
    falling = Statement(EVERY, ctx.guards, Eq(DELTA, ZERO))
    inner = k.induction_context([falling], [l], 0)

    def case(c: Context, _: Con) -> Theorem:
        return prove_equation(k, c, DELTA, ZERO, Tools(lazy=("delta",)))

    (deltas,) = k.induct([falling], [l], [by_cases(k, inner, ge(l, 1), falling.relation, case)])
    done: dict[Term, Theorem] = {EPS: errors, DELTA: deltas}
    rest = Tools([errors, deltas, *known], eager=changes(claim), lazy=("gx",))
    return {"predicted": known[1]}, [_done(k, s, done, rest) for s in claim.goals]


def _done(k: Kernel, s: Statement, done: Mapping[Term, Theorem], tools: Tools) -> Theorem:
    """What was proved already, or an equation."""
    assert isinstance(s.relation, Eq)
    found = done.get(s.relation.lhs)
    return equation(k, s, tools) if found is None else found


# -- energy and loss --------------------------------------------------------------
def output_first(k: Kernel, ctx: Context, energy: Term) -> Theorem:
    """F = its part at the output + the rest."""
    assert isinstance(energy, Sum)
    th = k.sum_split(ctx, energy, Idx(1))
    assert isinstance(th.rhs, Add)
    one, rest = th.rhs.args
    return k.trans(th, k.congruence(ctx, th.rhs, [k.sum_single(ctx, one), k.refl(ctx, rest)]))


def _loss_and_rest(k: Kernel, energy: Term, loss: Term, tools: Tools) -> Theorem:
    """F = loss + rest, where the part at the output is the loss by ``tools``."""
    ctx = Context()
    th = output_first(k, ctx, energy)
    assert isinstance(th.rhs, Add)
    own, rest = th.rhs.args
    return k.trans(th, k.congruence(ctx, th.rhs, [prove_equation(k, ctx, own, loss, tools), k.refl(ctx, rest)]))


def split_energy(k: Kernel, energy: Term, loss: Term) -> tuple[Theorem, Theorem, Theorem, Theorem]:
    """F = loss + rest; 0 <= rest; loss <= F; rest <= F."""
    ctx = Context()
    split = _loss_and_rest(k, energy, loss, Tools(lazy=("eps",)))
    assert isinstance(split.rhs, Add)
    rest = split.rhs.args[1]
    low = nonneg(k, ctx, rest)

    def below(part: Term, other: Theorem) -> Theorem:
        whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, part)), other])
        return k.le_trans(ring_le(k, ctx, part, whole, split.rhs), k.le_equal(k.sym(split)))

    return split, low, below(loss, low), below(rest, nonneg(k, ctx, loss))


def decomposition_script(k: Kernel, claim: Claim) -> Out:
    """Split off the output layer; the rest is a sum of squares."""
    whole, _, below = (s.relation for s in claim.goals)
    assert isinstance(whole, Eq) and isinstance(below, Le)
    split, low, at_most, _ = split_energy(k, whole.lhs, below.lhs)
    return {}, [prove_same(k, whole, split), low, at_most]


def descent_script(k: Kernel, claim: Claim) -> Out:
    """Loss and rest are at most F, and F is at most the loss of backprop."""
    descended = k.hypothesis(Context(), "descended", {})
    assert isinstance(descended.relation, Le)
    loss = claim.goals[0].relation
    assert isinstance(loss, Le)
    _, _, *parts = split_energy(k, descended.relation.lhs, loss.lhs)
    return {}, [k.le_trans(p, descended) for p in parts]


def prove_same(k: Kernel, wanted: Eq, th: Theorem) -> Theorem:
    """``wanted``, of which ``th`` is another way of writing the right side."""
    return th if th.rhs is wanted.rhs else k.trans(th, k.ring(th.context, th.rhs, wanted.rhs))


def forward_energy_script(k: Kernel, claim: Claim) -> Out:
    """Hidden errors are 0, so the rest is; at the output mu = y."""
    _, nothing, whole = claim.goals
    assert isinstance(nothing.relation, Eq) and isinstance(whole.relation, Eq)
    known = forward(k)
    zero = hidden_errors(k, known)
    none = prove_equation(k, Context(), nothing.relation.lhs, ZERO, Tools([zero]))
    split = _loss_and_rest(k, whole.relation.lhs, whole.relation.rhs, Tools(known, lazy=("eps",)))
    assert isinstance(split.rhs, Add)
    loss, _ = split.rhs.args
    th = k.trans(split, k.congruence(Context(), split.rhs, [k.refl(Context(), loss), none]))
    return {"above_output": known[0], "predicted": known[1]}, [zero, none, k.trans(th, k.ring(Context(), th.rhs, loss))]


def rest_zero_script(k: Kernel, claim: Claim) -> Out:
    """Each hidden error is 0, so x = mu there; x = y by induction from the input down."""
    zero_errors, same = claim.goals
    ctx = Context(zero_errors.variables, zero_errors.guards)
    zero = square_zero(k, zero_terms(k, ctx, k.hypothesis(ctx, "rest_zero", {}), (l - 1, b, i)))
    inner = k.induction_context([same], [L - l], 0)

    def case(c: Context, _: Con) -> Theorem:
        tools = Tools(lazy=("mu", "y"))
        if not k.entails(c, lt(l, L)):
            return prove_equation(k, c, X, Y, tools)
        error = unfolded_value(k, c, EPS, [])
        none = k.trans(k.sym(error), k.instantiate(c, zero, {"l": l, "b": b, "i": i}))
        th = k.ring(c, X, Add(none.lhs, MU))
        th = k.trans(th, k.congruence(c, th.rhs, [none, k.refl(c, MU)]))
        th = k.trans(th, k.ring(c, th.rhs, MU))
        return k.trans(th, prove_equation(k, c, MU, Y, tools))

    (out,) = k.induct([same], [L - l], [by_cases(k, inner, lt(l, L), same.relation, case)])
    return {"errors_are_zero": zero}, [zero, out]
