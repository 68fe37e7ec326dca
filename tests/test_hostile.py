"""Rules of a stranger: verdicts against an independent simulator, and bad input.

The first half reads the public words (x[l], Sum, F.diff, ...) on its own: plain
loops over fractions or integers mod a prime, derivatives by dual numbers.  It
imports nothing of pcproof; only texts of rules are shared.
"""

# ruff: noqa: E701, E702, E731, E741
from __future__ import annotations

import random
from fractions import Fraction as Fr

import pytest


class D:  # dual number
    __slots__ = ("v", "d")

    def __init__(s, v, d=0):
        s.v = v
        s.d = d


def dv(a):
    return a.v if isinstance(a, D) else a


def dd(a):
    return a.d if isinstance(a, D) else 0


def add(a, b):
    if isinstance(a, D) or isinstance(b, D):
        return D(dv(a) + dv(b), dd(a) + dd(b))
    return a + b


def mul(a, b):
    if isinstance(a, D) or isinstance(b, D):
        return D(dv(a) * dv(b), dd(a) * dv(b) + dv(a) * dd(b))
    return a * b


def scale(c, a):
    return mul(c, a)


class Net:
    """sizes: L, B, n[0..L]; params: dict name -> number or function; f(layer, v), df(layer, v)."""

    def __init__(s, L, B, n, w, c, sin, sout, alpha, par, f, df, bias):
        s.L, s.B, s.n, s.w, s.c = L, B, n, w, c
        s.sin, s.sout, s.alpha, s.par, s.f, s.df, s.bias = sin, sout, alpha, par, f, df, bias

    def act(s, l, v):
        if isinstance(v, D):
            return D(s.f(l, v.v), s.df(l, v.v) * v.d)
        return s.f(l, v)

    def pred(s, xs, th, be, l, b, i):
        out = be[l + 1][i] if s.bias else 0
        for j in range(s.n[l + 1]):
            out = add(out, mul(th[l + 1][i][j], s.act(l + 1, xs[l + 1][b][j])))
        return out

    def forward(s):
        y = {s.L: [[s.sin[b][i] for i in range(s.n[s.L])] for b in range(s.B)]}
        for l in range(s.L - 1, -1, -1):
            y[l] = [[None] * s.n[l] for b in range(s.B)]
            for b in range(s.B):
                for i in range(s.n[l]):
                    y[l][b][i] = s.pred(y, s.w, s.c, l, b, i)
        return y

    def fn(s, name, v, order=0):  # a function of an own loss
        return (v * v * v + 2 * v, 3 * v * v + 2)[order]

    def apply(s, name, v):
        return D(s.fn(name, v.v), s.fn(name, v.v, 1) * v.d) if isinstance(v, D) else s.fn(name, v)

    def output_error(s, y, loss, b, i):
        """-dE/dy of one output: the squared error's, or that of an own loss."""
        if loss is None:
            return s.sout[b][i] - y[0][b][i]
        varied = [[D(v, 1) if (k, j) == (b, i) else v for j, v in enumerate(r)] for k, r in enumerate(y[0])]
        return -1 * dd(loss.f({"L": s.L}, State(s, None, None, None, mu={0: varied}, ep={}, y=y)))

    def backprop(s, loss=None):
        y = s.forward()
        de = {}
        de[0] = [[s.output_error(y, loss, b, i) for i in range(s.n[0])] for b in range(s.B)]
        for l in range(1, s.L):
            de[l] = [
                [
                    s.df(l, y[l][b][i]) * sum((s.w[l][j][i] * de[l - 1][b][j] for j in range(s.n[l - 1])), Fr(0))
                    for i in range(s.n[l])
                ]
                for b in range(s.B)
            ]
        dw = {
            l: [
                [
                    s.alpha * sum((de[l - 1][b][i] * s.f(l, y[l][b][j]) for b in range(s.B)), Fr(0))
                    for j in range(s.n[l])
                ]
                for i in range(s.n[l - 1])
            ]
            for l in range(1, s.L + 1)
        }
        dc = {
            l: [s.alpha * sum((de[l - 1][b][i] for b in range(s.B)), Fr(0)) for i in range(s.n[l - 1])]
            for l in range(1, s.L + 1)
        }
        return y, de, dw, dc


def errors(net, xs, th, be):
    mu = {}
    ep = {}
    for l in range(net.L):
        mu[l] = [[net.pred(xs, th, be, l, b, i) for i in range(net.n[l])] for b in range(net.B)]
        ep[l] = [[add(xs[l][b][i], mul(-1, mu[l][b][i])) for i in range(net.n[l])] for b in range(net.B)]
    return mu, ep


def held_values(ys, xs):
    """The values ys, with the tangents of xs."""
    keep = lambda a, c: D(a, c.d) if isinstance(c, D) else a
    return {l: [[keep(a, c) for a, c in zip(r, q)] for r, q in zip(ys[l], xs[l])] for l in xs}


class State:
    """held: predictions keep the values y of the forward pass, and f and f' are taken there."""

    def __init__(s, net, xs, th, be, mu=None, ep=None, t=None, y=None, held=False):
        s.net, s.xs, s.th, s.be, s.t, s.y, s.held = net, xs, th, be, t, y, held
        if mu is None and held:
            mu = {l: y[l] for l in range(net.L)}
            ep = {l: [[add(a, mul(-1, c)) for a, c in zip(r, q)] for r, q in zip(xs[l], mu[l])] for l in mu}
        elif mu is None:
            mu, ep = errors(net, xs, th, be)
        s.mu, s.ep = mu, ep

    def of_forward_weights(s):
        """What a step sees where predictions are held: the weights of the forward pass."""
        return State(s.net, s.xs, s.net.w, s.net.c, s.mu, s.ep, s.t, s.y, True) if s.held else s

    def of_functions(s):
        """What functions are applied to: the forward values where predictions are held."""
        if not s.held:
            return s
        ys = held_values(s.y, s.xs)
        return State(s.net, ys, s.net.w, s.net.c, s.mu, s.ep, s.t, s.y, True)


def run(net, rule, T):
    """rule: object with start(net,y,l,b,i), step(S,l,b,i), learn(S,l,i,j), learnb(S,l,i), when(l)->t, order."""
    y, de, dw, dc = net.backprop(getattr(rule, "loss", None))
    xs = {
        l: [
            [
                (net.sin[b][i] if l == net.L else net.sout[b][i] if l == 0 else rule.start(net, y, l, b, i))
                for i in range(net.n[l])
            ]
            for b in range(net.B)
        ]
        for l in range(net.L + 1)
    }
    th = {l: [r[:] for r in net.w[l]] for l in net.w}
    be = {l: net.c[l][:] for l in net.c} if net.bias else {}
    hist = [(th, be)]

    held = getattr(rule, "held", False)

    def moved(S):
        seen = S.of_forward_weights()
        return {
            l: [
                [S_x[b][i] + (rule.step(seen, l, b, i) if 1 <= l < net.L else 0) for i in range(net.n[l])]
                for b in range(net.B)
            ]
            for l, S_x in S.base.items()
        }

    def learned(S, t, th, be):
        th2 = {
            l: [
                [th[l][i][j] + (rule.learn(S, l, i, j) if rule.when(net, l) == t else 0) for j in range(net.n[l])]
                for i in range(net.n[l - 1])
            ]
            for l in th
        }
        be2 = {
            l: [be[l][i] + (rule.learnb(S, l, i) if rule.when(net, l) == t else 0) for i in range(net.n[l - 1])]
            for l in be
        }
        return th2, be2

    k = getattr(rule, "substeps", 1)
    for now in range(T):
        t, part = divmod(now, k)
        if rule.order == "synchronous" and k > 1:  # a time step is k moves; weights are written after the last
            S = State(net, xs, th, be, t=t, y=y, held=held)
            S.base = xs
            if part == 0:
                pending = learned(S, t, th, be)
            xs = moved(S)
            if part == k - 1:
                th, be = pending
        elif rule.order == "synchronous":
            S = State(net, xs, th, be, t=t, y=y, held=held)
            S.base = xs
            xn = moved(S)
            th, be = learned(S, t, th, be)
            xs = xn
        elif rule.order == "weights-first":
            S = State(net, xs, th, be, t=t, y=y, held=held)
            S.base = xs
            th, be = learned(S, t, th, be)
            S = State(net, xs, th, be, t=t, y=y, held=held)
            S.base = xs
            xs = moved(S)
        elif rule.order in ("from-output", "from-input"):  # in place, layer after layer
            xs, th, be = dict(xs), dict(th), dict(be)
            layers = range(1, net.L + 1)
            for l in layers if rule.order == "from-output" else reversed(layers):
                S = State(net, dict(xs), dict(th), dict(be), t=t, y=y)
                S.base = xs
                xn, (thn, ben) = moved(S), learned(S, t, th, be)
                xs[l], th[l] = xn[l], thn[l]
                if net.bias:
                    be[l] = ben[l]
        elif rule.order == "states-first":  # weights use old errors and new activities
            S = State(net, xs, th, be, t=t, y=y, held=held)
            S.base = xs
            xn = moved(S)
            S2 = State(net, xn, th, be, mu=S.mu, ep=S.ep, t=t, y=y, held=held)
            th, be = learned(S2, t, th, be)
            xs = xn
        else:
            S = State(net, xs, th, be, t=t, y=y, held=held)
            S.base = xs
            xn = moved(S)
            S2 = State(net, xn, th, be, t=t, y=y, held=held)
            th, be = learned(S2, t, th, be)
            xs = xn
        hist.append((th, be))
    return hist, dw, dc, y, de


def check(net, rule, extra=2):
    """First difference to the claim, or None."""
    k = getattr(rule, "substeps", 1)
    whens = [k * (rule.when(net, l) + 1) - 1 for l in range(1, net.L + 1)]
    T = max([w + 1 for w in whens] + [0]) + extra
    hist, dw, dc, _, _ = run(net, rule, T)
    for l in range(1, net.L + 1):
        for t in range(max(0, whens[l - 1] + 1), T + 1):
            th, be = hist[t]
            for i in range(net.n[l - 1]):
                for j in range(net.n[l]):
                    if th[l][i][j] != net.w[l][i][j] + dw[l][i][j]:
                        return ("theta", t, l, i, j, th[l][i][j], net.w[l][i][j] + dw[l][i][j])
                if net.bias and be[l][i] != net.c[l][i] + dc[l][i]:
                    return ("beta", t, l, i, be[l][i], net.c[l][i] + dc[l][i])
    return None


P_ = 2**61 - 1


class M:
    __slots__ = ("v",)

    def __init__(s, v):
        s.v = v % P_

    @staticmethod
    def of(a):
        if isinstance(a, M):
            return a.v
        if isinstance(a, int):
            return a % P_
        return a.numerator * pow(a.denominator, -1, P_) % P_

    def __add__(s, o):
        return M(s.v + M.of(o))

    __radd__ = __add__

    def __sub__(s, o):
        return M(s.v - M.of(o))

    def __rsub__(s, o):
        return M(M.of(o) - s.v)

    def __mul__(s, o):
        return M(s.v * M.of(o))

    __rmul__ = __mul__

    def __neg__(s):
        return M(-s.v)

    def __eq__(s, o):
        return s.v == M.of(o)

    def __truediv__(s, o):
        return M(s.v * pow(M.of(o), -1, P_))

    def __rtruediv__(s, o):
        return M(M.of(o) * pow(s.v, -1, P_))

    def __pow__(s, k):
        return M(pow(s.v, k, P_))

    def __hash__(s):
        return s.v

    def __repr__(s):
        return f"M{s.v}"


def random_net(rng, bias, L):
    nums = [Fr(a, b) for a in (-3, -2, -1, 1, 2, 3, 5) for b in (1, 2)]
    g = lambda: rng.choice(nums)
    B = rng.randint(1, 2)
    n = [rng.randint(1, 2) for _ in range(L + 1)]
    w = {l: [[g() for _ in range(n[l])] for _ in range(n[l - 1])] for l in range(1, L + 1)}
    c = {l: [g() for _ in range(n[l - 1])] for l in range(1, L + 1)}
    sin = [[g() for _ in range(n[L])] for _ in range(B)]
    sout = [[g() for _ in range(n[0])] for _ in range(B)]
    modp = rng.random() < 0.8
    if modp:
        g = lambda: M(rng.randrange(P_))
        w = {l: [[g() for _ in r] for r in w[l]] for l in w}
        c = {l: [g() for _ in c[l]] for l in c}
        sin = [[g() for _ in r] for r in sin]
        sout = [[g() for _ in r] for r in sout]
    kind = rng.choice(["sq", "cub", "weird"] if modp else ["id", "relu", "weird"])
    P = {
        "id": (lambda l, v: v, lambda l, v: Fr(1)),
        "sq": (lambda l, v: v * v, lambda l, v: 2 * v),
        "relu": (lambda l, v: v if v > 0 else Fr(0), lambda l, v: Fr(int(v > 0))),
        "cub": (lambda l, v: v * v - v + l, lambda l, v: 2 * v - 1),
        "weird": (lambda l, v: v + 1, lambda l, v: Fr(l + 2)),
    }[kind]
    cache = {}

    def par(name, *idx):
        if (name, idx) not in cache:
            cache[name, idx] = g()
        return cache[name, idx]

    return Net(L, B, n, w, c, sin, sout, g(), par, *P, bias)


class Ix:
    def __init__(s, f):
        s.f = f

    @staticmethod
    def of(a):
        return a if isinstance(a, Ix) else Ix(lambda e: a)

    def __add__(s, o):
        o = Ix.of(o)
        return Ix(lambda e: s.f(e) + o.f(e))

    __radd__ = __add__

    def __neg__(s):
        return Ix(lambda e: -s.f(e))

    def __sub__(s, o):
        return s + (-Ix.of(o))

    def __rsub__(s, o):
        return Ix.of(o) + (-s)

    def __mul__(s, k):
        return Ix(lambda e: s.f(e) * k)

    __rmul__ = __mul__


class Var(Ix):
    def __init__(s, name):
        s.name = name
        s.f = lambda e: e[name]


def num(v):
    return Fr(v)


class Sc:
    def __init__(s, f):
        s.f = f  # f(env, S) -> number or D

    @staticmethod
    def of(a):
        return a if isinstance(a, Sc) else Sc(lambda e, S: num(a))

    def __add__(s, o):
        o = Sc.of(o)
        return Sc(lambda e, S: add(s.f(e, S), o.f(e, S)))

    __radd__ = __add__

    def __neg__(s):
        return Sc(lambda e, S: mul(-1, s.f(e, S)))

    def __sub__(s, o):
        return s + (-Sc.of(o))

    def __rsub__(s, o):
        return Sc.of(o) + (-s)

    def __mul__(s, o):
        if isinstance(o, Fd):
            return o * s
        o = Sc.of(o)
        return Sc(lambda e, S: mul(s.f(e, S), o.f(e, S)))

    __rmul__ = __mul__

    def __truediv__(s, o):
        if isinstance(o, Fd):
            return o.inverse() * s
        o = Sc.of(o)
        return Sc(lambda e, S: mul(s.f(e, S), inv(o.f(e, S))))

    def __rtruediv__(s, o):
        return Sc.of(o) / s

    def __pow__(s, k):
        k = Ix.of(k)
        return Sc(lambda e, S: power(s.f(e, S), k.f(e)))

    def diff(s, target):
        def val(e, S, u):
            layer = target.layer.f(e)
            if target.name == "x":
                xs = {m: [r[:] for r in S.xs[m]] for m in S.xs}
                b, i = u
                xs[layer][b][i] = D(xs[layer][b][i], 1)
                S2 = mk(S, xs, S.th, S.be)
            elif target.name == "theta":
                th = {m: [r[:] for r in S.th[m]] for m in S.th}
                i, j = u
                th[layer][i][j] = D(th[layer][i][j], 1)
                S2 = mk(S, S.xs, th, S.be)
            else:
                be = {m: S.be[m][:] for m in S.be}
                (i,) = u
                be[layer][i] = D(be[layer][i], 1)
                S2 = mk(S, S.xs, S.th, be)
            return dd(s.f(e, S2))

        return Fd(target.kind, target.layer, val)


def inv(a):
    if dv(a) == 0:
        raise ZeroDivisionError
    if isinstance(a, D):
        return D(1 / a.v, -a.d / a.v**2)
    return 1 / (Fr(a) if isinstance(a, int) else a)


def power(a, k):
    out = Fr(1)
    for _ in range(abs(k)):
        out = mul(out, a)
    return inv(out) if k < 0 else out


def mk(S, xs, th, be):
    # the tangent of mu, eps, with the values that are in force in S
    if S.held:
        ys = held_values(S.y, xs)
        mu, _ = errors(S.net, ys, th, be)
        ep = {l: [[add(a, mul(-1, c)) for a, c in zip(r, q)] for r, q in zip(xs[l], mu[l])] for l in mu}
    else:
        mu, ep = errors(S.net, xs, th, be)
    fix = lambda new, old: {
        l: [[D(old[l][b][i], dd(new[l][b][i])) for i in range(len(new[l][b]))] for b in range(len(new[l]))] for l in new
    }
    return State(S.net, xs, th, be, mu=fix(mu, S.mu), ep=fix(ep, S.ep), t=S.t, y=S.y, held=S.held)


class Fd:
    def __init__(s, kind, layer, f, name=None):
        s.kind, s.layer, s.f, s.name = kind, layer, f, name  # f(env,S,units)

    def _j(s, o):
        if isinstance(o, Fd):
            return o.f
        assert o == 0
        return lambda e, S, u: Fr(0)

    def __add__(s, o):
        g = s._j(o)
        return Fd(s.kind, s.layer, lambda e, S, u: add(s.f(e, S, u), g(e, S, u)))

    __radd__ = __add__

    def __neg__(s):
        return Fd(s.kind, s.layer, lambda e, S, u: mul(-1, s.f(e, S, u)))

    def __sub__(s, o):
        if isinstance(o, Fd) and (s.name, o.name) == ("x", "mu"):
            return Words("eps")[s.layer]  # the error by definition, of the moment at which errors are taken
        return s + (-o if isinstance(o, Fd) else 0)

    def __rsub__(s, o):
        return -s

    def __mul__(s, o):
        if isinstance(o, Fd):
            return Fd(s.kind, s.layer, lambda e, S, u: mul(s.f(e, S, u), o.f(e, S, u)))
        o = Sc.of(o)
        return Fd(s.kind, s.layer, lambda e, S, u: mul(o.f(e, S), s.f(e, S, u)))

    __rmul__ = __mul__

    def inverse(s):
        return Fd(s.kind, s.layer, lambda e, S, u: inv(s.f(e, S, u)))

    def __truediv__(s, o):
        return s * (o.inverse() if isinstance(o, Fd) else 1 / Sc.of(o))

    def __rtruediv__(s, o):
        return s.inverse() * o


class Words:
    def __init__(s, name):
        s.name = name

    def __getitem__(s, layer):
        k = Ix.of(layer)
        n = s.name
        if n == "theta":
            return Fd("theta", k, lambda e, S, u: S.th[k.f(e)][u[0]][u[1]], n)
        if n == "beta":
            return Fd("beta", k, lambda e, S, u: S.be[k.f(e)][u[0]], n)
        src = {"x": lambda S: S.xs, "mu": lambda S: S.mu, "eps": lambda S: S.ep, "y": lambda S: S.y}[n]
        return Fd("state", k, lambda e, S, u: src(S)[k.f(e)][u[0]][u[1]], n)


def shape(kind, S, layer):
    n = S.net.n
    if kind == "state":
        return [(b, i) for b in range(S.net.B) for i in range(n[layer])]
    if kind == "theta":
        return [(i, j) for i in range(n[layer - 1]) for j in range(n[layer])]
    return [(i,) for i in range(n[layer - 1])]


def sq(v, precision=None):
    if precision is not None:
        return Sum((precision @ v if isinstance(precision, OfPairs) else precision * v) * v)

    def f(e, S):
        out = Fr(0)
        for u in shape(v.kind, S, v.layer.f(e)):
            a = v.f(e, S, u)
            out = add(out, mul(a, a))
        return out

    return Sc(f)


def Sum(body, span=None):
    if span is None:
        return Sc(lambda e, S: total(body.f(e, S, u) for u in shape(body.kind, S, body.layer.f(e))))
    var, lo, hi = span
    lo = Ix.of(lo)
    hi = Ix.of(hi)

    def f(e, S):
        out = Fr(0)
        for k in range(lo.f(e), hi.f(e) + 1):
            out = add(out, body.f({**e, var.name: k}, S))
        return out

    return Sc(f)


def total(values):
    out = Fr(0)
    for v in values:
        out = add(out, v)
    return out


def act(v):
    return Fd(v.kind, v.layer, lambda e, S, u: S.net.act(v.layer.f(e), v.f(e, S.of_functions(), u)))


def slope(v):
    return Fd(v.kind, v.layer, lambda e, S, u: S.net.df(v.layer.f(e), dv(v.f(e, S.of_functions(), u))))


def matrix(net, name):
    return Matrix(name)


class Matrix:
    def __init__(s, name):
        s.name = name

    def __getitem__(s, layer):
        k = Ix.of(layer)
        return Fd("theta", k, lambda e, S, u: S.net.par(s.name, k.f(e), *u))


def back(w, v):
    def f(e, S, u):
        out = Fr(0)
        for j in range(S.net.n[v.layer.f(e)]):
            out = add(out, mul(w.f(e, S, (j, u[1])), v.f(e, S, (u[0], j))))
        return out

    return Fd("state", w.layer, f)


def outer(v, w):
    def f(e, S, u):
        out = Fr(0)
        for b in range(S.net.B):
            out = add(out, mul(v.f(e, S, (b, u[0])), w.f(e, S, (b, u[1]))))
        return out

    return Fd("theta", w.layer, f)


class EqN:
    def __init__(s, a, b):
        s.a, s.b = Ix.of(a), Ix.of(b)


class Par:
    def __init__(s, name):
        s.name = name

    def __getitem__(s, k):
        k = Ix.of(k)
        return Sc(lambda e, S: S.net.par(s.name, k.f(e)))


class OfUnits(Par):
    def __getitem__(s, k):
        k = Ix.of(k)
        return Fd("state", k, lambda e, S, u: S.net.par(s.name, k.f(e), u[1]))


class OfPairs(Par):
    def __init__(s, name, layer=None):
        s.name, s.layer = name, layer

    def __getitem__(s, k):
        return OfPairs(s.name, Ix.of(k))

    def __matmul__(s, v):
        def f(e, S, u):
            at = s.layer.f(e)
            n = range(S.net.n[at])
            return total(mul(S.net.par(s.name, at, u[1], j), v.f(e, S, (u[0], j))) for j in n)

        return Fd("state", s.layer, f)


class MyNet:
    def __init__(s, bias=False):
        s.bias, s.loss = bias, None

    def symbols(s, names):
        out = []
        for n in names.split():
            if n in ("x", "mu", "eps", "y", "theta", "beta"):
                out.append(Words(n))
            elif n in ("l", "t", "L"):
                out.append(Var(n))
            elif n == "alpha":
                out.append(Sc(lambda e, S: S.net.alpha))
            else:
                out.append(s.parameter(n))
        return tuple(out) if len(out) > 1 else out[0]

    def parameter(s, n, per=""):
        if per:
            return {"unit": OfUnits, "pair": OfPairs}.get(per, Par)(n)
        return Sc(lambda e, S: S.net.par(n))


class MyRule:
    def __init__(
        s, net, energy=None, start=None, step=None, learn=None, when=None, order="synchronous", held=False, substeps=1
    ):
        s.order, s.held, s.substeps, s.loss = order, held, substeps, net.loss
        s.w = when
        ((k, s.sv),) = start.items()
        s.sk = k
        ((k, s.tv),) = step.items()
        s.tk = k
        s.lv = {k.kind: (k, v) for k, v in learn.items()}

    def off(s, key, layer, extra):  # environment for a key like x[l], theta[l+1]
        shift = key.layer.f({"l": 0, "t": 0, "L": 0})
        return {"l": layer - shift, **extra}

    def start(s, net, y, l, b, i):
        S = State(net, None, None, None, mu={}, ep={}, t=0, y=y)
        e = s.off(s.sk, l, {"t": 0, "L": net.L})
        return s.sv.f(e, S, (b, i)) if isinstance(s.sv, Fd) else Fr(0)

    def step(s, S, l, b, i):
        return s.tv.f(s.off(s.tk, l, {"t": S.t, "L": S.net.L}), S, (b, i)) if isinstance(s.tv, Fd) else Fr(0)

    def learn(s, S, l, i, j):
        k, v = s.lv["theta"]
        return v.f(s.off(k, l, {"t": S.t, "L": S.net.L}), S, (i, j))

    def learnb(s, S, l, i):
        k, v = s.lv["beta"]
        return v.f(s.off(k, l, {"t": S.t, "L": S.net.L}), S, (i,))

    def when(s, net, l):
        k = s.lv["theta"][0]
        e = s.off(k, l, {"L": net.L})
        g = lambda t: s.w.a.f({**e, "t": t}) - s.w.b.f({**e, "t": t})
        hits = [t for t in range(-60, 61) if g(t) == 0]
        assert len(hits) == 1, hits
        return hits[0]


TARGET = Fd("state", Ix.of(0), lambda e, S, u: S.net.sout[u[0]][u[1]])


def own_loss(net, loss, functions=""):
    def word(name):
        return lambda v: Fd(v.kind, v.layer, lambda e, S, u: S.net.apply(name, v.f(e, S, u)))

    net.loss = loss(Words("mu")[0], TARGET, *map(word, functions.split()))
    return net


def output_loss(net):
    return sq(TARGET - Words("mu")[0]) / 2 if net.loss is None else net.loss


def mine(text):
    ns = dict(Sum=Sum, sq=sq, Eq=EqN, Rule=MyRule, MLP=MyNet, Fraction=Fr, OwnLoss=own_loss, output_loss=output_loss)
    ns |= dict(act=act, slope=slope, matrix=matrix, back=back, outer=outer)
    exec(text, ns)
    return ns["rule"]


# -- pcproof's verdict on the same text ------------------------------------------
HEAD = """net = MLP({bias})
x, mu, eps, y, theta, l, t, L, gamma, alpha = net.symbols("x mu eps y theta l t L gamma alpha")
{more}
F = {F}
rule = Rule(net, energy=F, start={{x[l]: {start}}}, when={when}, step={{x[l]: {step}}}, learn={learn}, order="{order}")
"""
F0 = "Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))"
MORE = """lam = net.parameter("lam")
p = net.parameter("p", per="layer")
g = net.parameter("g", per="time")
G = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))"""


def text(F=F0, start="y[l]", when="Eq(t, l)", step="-F.diff(x[l])", learn="", order="synchronous", bias=""):
    more = MORE
    if not learn:
        learn = "{theta[l + 1]: -alpha * F.diff(theta[l + 1])}"
        if bias:
            learn = learn[:-1] + ", beta[l + 1]: -alpha * F.diff(beta[l + 1])}"
    if bias:
        more = 'beta = net.symbols("beta")\n' + more
    return HEAD.format(F=F, start=start, when=when, step=step, learn=learn, order=order, bias=bias, more=more)


def theirs(source):
    from pcproof import MLP, Eq, OwnLoss, Rule, Sum, output_loss, sq
    from pcproof.rules import products

    space = dict(Sum=Sum, sq=sq, Eq=Eq, Rule=Rule, MLP=MLP, Fraction=Fr, OwnLoss=OwnLoss, output_loss=output_loss)
    space |= {n: getattr(products, n) for n in ("act", "slope", "matrix", "back", "outer")}
    exec(source, space)
    return space["rule"]


def rebuilt(c):
    """The printed counterexample as a network of the simulator."""
    d = c.as_dict()
    L, B, n = d["sizes"]["L"], d["sizes"]["B"], d["widths"]["n"]
    known = {
        (name, tuple(map(int, k.split(","))) if k else ()): Fr(v)
        for name, entries in d["parameters"].items()
        for k, v in entries.items()
    }
    # what is not listed is 0; a parameter that the claim does not have may have any value, and be divided by
    get = lambda name, *k: known.get((name, k), Fr(int(name not in c.claim.theory.symbols)))
    table = {(e["function"].count("'"), tuple(e["indices"]), Fr(e["at"])): Fr(e["value"]) for e in d["table"]}
    kind = d["activation"]
    only = int(kind.split(" at layer ")[1].split(",")[0]) if " at layer " in kind else None

    def f(layer, v, order=0):
        if kind.startswith("table"):
            return table.get((order, (layer,), v), Fr(0))  # what the difference does not depend on is not listed
        if kind.startswith("identity with"):
            return (v, Fr(2))[order]
        name = kind.split()[0] if only in (None, layer) else "identity"
        return {"identity": (v, Fr(1)), "relu": (max(v, Fr(0)), Fr(int(v > 0))), "square": (v * v, 2 * v)}[name][order]

    w = {l: [[get("w", l, i, j) for j in range(n[l])] for i in range(n[l - 1])] for l in range(1, L + 1)}
    b = {l: [get("c", l, i) for i in range(n[l - 1])] for l in range(1, L + 1)}
    x = [[get("s_in", k, i) for i in range(n[L])] for k in range(B)]
    target = [[get("s_out", k, i) for i in range(n[0])] for k in range(B)]
    bias = "beta" in c.claim.theory.symbols
    net = Net(L, B, n, w, b, x, target, get("alpha"), get, f, lambda l, v: f(l, v, 1), bias)
    net.fn = lambda name, v, order=0: table.get((order, (), v), Fr(0)) if kind.startswith("table") else f((), v, order)
    return net, d["indices"]


def judge(source, seed=0, nets=8):
    """The verdict, after it was compared with the simulator."""
    from pcproof import prove

    result = prove(theirs(source).equals_backprop())
    own = mine(source)
    if result.verdict == "proved":
        rng = random.Random(seed)
        for k in range(nets):
            net = random_net(rng, "True" in source.splitlines()[0], 1 + k % 4)
            assert check(net, own) is None, source
    if result.verdict == "refuted":
        c = result.counterexample
        net, at = rebuilt(c)
        assert at["t"] > own.when(net, at["l"])
        hist, dw, dc = run(net, own, at["t"])[:3]
        if c.goal == 0:
            k = (at["l"], at["i"], at["j"])
            now, old, change = (a[k[0]][k[1]][k[2]] for a in (hist[-1][0], net.w, dw))
        else:
            now, old, change = (a[at["l"]][at["i"]] for a in (hist[-1][1], net.c, dc))
        assert (now, old + change) == (c.lhs, c.rhs) and now != old + change, source
    return result.verdict


STEPS = (
    "-F.diff(x[l])", "-gamma * F.diff(x[l])", "-F.diff(x[l]) + 3 * eps[l]", "-G.diff(x[l]) - (x[l] - y[l])",
    "F.diff(x[l])", "-F.diff(x[l]) + eps[l] * eps[l] * x[l]", "-F.diff(x[l]) / 2", "-p[l] * F.diff(x[l])",
    "-g[t] * F.diff(x[l])", "-F.diff(x[l]) * (1 + g[t] - g[l - 1])", "-F.diff(x[l]) + sq(x[l + 1] - y[l + 1]) * x[l]",
    "-F.diff(x[l]) + lam * (mu[l] - y[l])", "-F.diff(x[l]) - F.diff(x[l]) + F.diff(x[l])", "-F.diff(x[l]) + G * eps[l]",
    "-F.diff(x[l]) + eps[l] * F.diff(x[l])", "0 * x[l]", "-F.diff(x[l]) + sq(theta[l]) * eps[l]",
)  # fmt: skip
ENERGIES = (
    F0, F0, F0, F0, "Sum(sq(x[l] - mu[l]), (l, 0, L - 1))", F0 + " + lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))",
    F0 + " + Sum(sq(x[l]), (l, L, L))", F0 + " + Sum(sq(x[l]), (l, 0, 0))", F0 + " + Sum(sq(x[l]), (l, L, 0))",
    "Sum(p[l] * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))", F0 + " + lam * Sum(sq(theta[l]), (l, 1, L))",
    "Sum(sq(x[l] - mu[l]) / 2, (l, 0, 0)) + Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1))",
    F0 + " + Sum(sq(x[l] - y[l]) / 2, (l, 1, L - 1))", "Sum(sq(x[l - 1] - mu[l - 1]) / 2, (l, 1, L))",
)  # fmt: skip
RATES = ("", "", "", "", "2", "1/2", "lam", "gamma ** (-l)", "(1 + g[t] - g[l])", "1 / gamma ** l")
WHENS = ("Eq(t, l)",) * 6 + ("Eq(l, t)", "Eq(t, l + 1)", "Eq(t, L - 1)", "Eq(t, l - 1)", "Eq(t, 1)")
STARTS = ("y[l]",) * 6 + ("2 * y[l]", "0 * y[l]", "y[l] * y[l]", "p[l] * y[l]")
ORDERS = ("synchronous",) * 6 + ("weights-first", "states-first-fresh")


def random_rule(rng):
    rate = rng.choice(RATES)
    bias = rng.choice(("", "", "True"))
    factor = "alpha" + (f" * {rate}" if rate and "/" not in rate else " / 2" if rate == "1/2" else "")
    factor += " / gamma ** l" if rate.startswith("1 /") else ""
    learn = f"{{theta[l + 1]: -{factor} * F.diff(theta[l + 1])"
    learn += f", beta[l + 1]: -{factor} * F.diff(beta[l + 1])}}" if bias else "}"
    pick = rng.choice
    return text(pick(ENERGIES), pick(STARTS), pick(WHENS), pick(STEPS), learn, pick(ORDERS), bias)


@pytest.mark.parametrize("block", range(6))
def test_random_rules_get_the_simulators_verdict(block):
    rng = random.Random(block)
    verdicts = [judge(random_rule(rng), seed=k) for k in range(10)]
    assert "refuted" in verdicts
    assert verdicts.count("unknown") <= 4


TRUE = {
    "other coefficient of eps": text(step="-F.diff(x[l]) + 7 * eps[l]"),
    "doubled energy, halved step": text(
        "Sum(sq(x[l] - mu[l]), (l, 0, L - 1))", step="-F.diff(x[l]) / 2",
        learn="{theta[l + 1]: -alpha * F.diff(theta[l + 1]) / 2}",
    ),
    "rates divided by a power": text(
        step="-gamma * F.diff(x[l])", learn="{theta[l + 1]: -alpha * F.diff(theta[l + 1]) / gamma**l}"
    ),
    "shifted keys": text(learn="{theta[l + 3]: -alpha * F.diff(theta[l + 3])}", when="Eq(t, l + 2)"),
    "energy over t": text("Sum(sq(x[t] - mu[t]) / 2, (t, 0, L - 1))"),
    "an empty sum": text(F0 + " + 5 * Sum(sq(x[l]) / 2, (l, 1, 0))"),
    "product with the gradient": text(step="-F.diff(x[l]) + eps[l] * F.diff(x[l])"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_true_variants_are_proved(name):
    assert judge(TRUE[name]) == "proved"


@pytest.mark.parametrize(
    "step, learn",
    [
        ("-F.diff(x[l])", "-alpha * F.diff(theta[l + 1]) * lam / lam"),
        ("-F.diff(x[l]) * gamma / gamma", "-alpha * F.diff(theta[l + 1])"),
        ("-F.diff(x[l]) * p[l] / p[l]", "-alpha * F.diff(theta[l + 1])"),
        ("-F.diff(x[l]) * g[t] / g[t]", "-alpha * F.diff(theta[l + 1])"),
        ("-F.diff(x[l]) * (lam + 1) / (lam + 1)", "-alpha * F.diff(theta[l + 1])"),
    ],
)
def test_a_divisor_is_not_zero(step, learn):
    """1/0 counts as 0 in the language; that must not refute a rule that divides by a parameter."""
    assert judge(text(step=step, learn=f"{{theta[l + 1]: {learn}}}")) in ("proved", "unknown")


def test_divisors_are_listed_as_hypotheses():
    from pcproof import prove

    result = prove(theirs(TRUE["rates divided by a power"]).equals_backprop())
    assert any("gamma != 0" in h or "gamma" in h for h in result.hypotheses)


REFUSED = {
    "start reads x": (text(start="x[l]"), "y[l]"),
    "start reads mu": (text(start="mu[l]"), "y[l]"),
    "start reads the gradient": (text(start="F.diff(x[l])"), "y[l]"),
    "start reads F": (text(start="y[l] * F"), "y[l]"),
    "no prediction of the input": (text("Sum(sq(x[l] - mu[l]) / 2, (l, 0, L))"), "mu[1]"),
    "no layer -1": (text("Sum(sq(x[l] - mu[l]) / 2, (l, -1, L - 1))"), "mu[-1]"),
    "no error of the input": (text(step="-F.diff(x[l]) + sq(eps[l + 1]) * x[l]"), "mu[2]"),
    "no weights of layer 0": (text(step="-F.diff(x[l]) + sq(theta[l - 1]) * x[l]"), "theta[0]"),
    "second derivative": (text("G + Sum(sq(G.diff(x[l])), (l, 1, L - 1))"), "df"),
    "negative power": (
        text(learn="{theta[l + 3]: -alpha * F.diff(theta[l + 3]) * gamma**l}", when="Eq(t, l + 2)"), "exponent",
    ),
    "2 t": (text(when="Eq(2 * t, l)"), "l - 2*t == 0"),
    "division by zero": (text(step="F.diff(x[l]) / 0"), "zero"),
    "division by a layer": (text(step="F.diff(x[l]) / x[l]"), "divided"),
    "unknown order": (text(order="foo"), "foo"),
    "other kind": (text(step="-F.diff(x[l]) + theta[l]"), "weights theta of layer l"),
    "name of a file": (text().replace("order=", 'name="../evil", order='), "identifier"),
    "word of Python": (text() + 'net.parameter("lambda")', "lambda"),
    "mixed prediction": (text() + 'net.parameter("mu_mixed")', "mu_mixed"),
    "alpha of a layer": (text() + 'net.parameter("alpha", per="layer")', "alpha"),
    "learn is a list": (text(learn="[theta[l + 1]]"), "mapping"),
    "t == l": (text(when="(t == l)"), "Eq(t, l)"),
    "float": (text(step="-0.5 * F.diff(x[l])"), "exact"),
    "free index": (text(F0 + " + sq(x[l])"), "free index"),
    "sum of two layers": (text(F0 + " + Sum(sq(x[l - 1] + x[l]), (l, 1, L))"), "layer l - 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_short_sentence(name):
    from pcproof.rules.equations import RuleError

    source, word = REFUSED[name]
    with pytest.raises(RuleError) as caught:
        theirs(source).equals_backprop()
    assert word in str(caught.value)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


def test_a_file_whose_claim_raises_ends_in_one_sentence(tmp_path, capsys):
    from pcproof.cli import run as command

    path = tmp_path / "odd.py"
    path.write_text("class A:\n    def equals_backprop(self): raise KeyError('boo')\nr = A()\n")
    assert command(["prove", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and "line 2" in err
