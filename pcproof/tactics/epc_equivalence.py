"""Scripts: errors and states of predictive coding are one problem in two sets of variables."""

from __future__ import annotations

from collections.abc import Sequence

from ..language.index import Con, Idx, eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import ZERO, Add, App, Mul, Term, add, neg
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.epc_equivalence import DELTA_E, FREE, GE, HIDDEN, at, at_output
from ..rules.fixed_points import EPS, GX, MU, X
from .fixed_point import solve_for
from .goals import Stuck, Tools, prove_equation
from .gradient import prove_pairing
from .light_cone import induct
from .loss_gradient import Names, loss_gradient
from .rewrite import by_cases

l, b, i = qvar("l"), qvar("b"), qvar("i")
E, Y_E = App("e", (l, b, i)), App("y_e", (l, b, i))
Out = tuple[dict[str, Theorem], list[Theorem]]


def prove(k: Kernel, s: Statement, tools: Tools) -> Theorem:
    """An equation by rewriting and unfolding."""
    assert isinstance(s.relation, Eq)
    return prove_equation(k, Context(s.variables, s.guards), s.relation.lhs, s.relation.rhs, tools)


def states(k: Kernel) -> dict[str, Theorem]:
    """mu = y_e - e, eps = e at hidden layers, eps^0 = delta_e^0."""
    above = at(Eq(X, Y_E), ge(l, 1), le(l, L))
    context = Context(above.variables, above.guards)
    ends = Tools(lazy=("y_e",))
    x = by_cases(k, context, lt(l, L), above.relation, lambda c, _: prove_equation(k, c, X, Y_E, ends))
    mu = prove(k, at(Eq(MU, add(Y_E, neg(E))), *FREE), Tools([x], lazy=("mu", "y_e")))
    eps = prove(k, at(Eq(EPS, E), *HIDDEN), Tools([mu], lazy=("eps",)))
    output = at_output(Eq(App("eps", (0, b, i)), App("delta_e", (0, b, i))))
    return {"x": x, "mu": mu, "eps": eps, "output": prove(k, output, Tools([mu], lazy=("eps", "delta_e")))}


def variables_script(k: Kernel, claim: Claim) -> Out:
    """Prediction and error by unfolding, the energies with the sum over layers cut at the output."""
    *_, energies, gradients = claim.goals
    known = states(k)
    lemmas = list(known.values())
    assert isinstance(energies.relation, Eq)
    sides = (energies.relation.lhs, energies.relation.rhs)
    same = prove_pairing(k, Context(), *sides, Tools(lemmas, lazy=("delta_e",)), (Idx(1),))
    return known, [*lemmas[1:], same, related(k, gradients, lemmas)]


def related(k: Kernel, gradients: Statement, lemmas: list[Theorem]) -> Theorem:
    """gx^l = ge^l - J^T ge^{l-1}: next to the output and above."""
    ctx = Context(gradients.variables, gradients.guards)
    relation = gradients.relation
    assert isinstance(relation, Eq)
    lhs, rhs = relation.lhs, relation.rhs
    tools = Tools(lemmas, lazy=("gx",), eager=("ge",))
    if not isinstance(rhs, Add) or GE not in rhs.args:
        raise Stuck(ctx, relation, "ge and a rest are expected on the right")

    def case(c: Context, _: Con) -> Theorem:
        unfolded = k.unfold(c, GE, 1)
        step = back(k, c)
        assert isinstance(unfolded.rhs, Add)
        error, negative = unfolded.rhs.args
        own = k.trans(unfolded, k.congruence(c, unfolded.rhs, [k.refl(c, error), inside(k, c, negative, step)]))
        put = k.congruence(c, rhs, [own if a is GE else k.refl(c, a) for a in rhs.args])
        return k.trans(prove_equation(k, c, lhs, put.rhs, tools), k.sym(put))

    return by_cases(k, ctx, eq(l, 1), relation, case)


def back(k: Kernel, ctx: Context) -> Theorem:
    """One step of backprop's recursion on the perturbed pass, at a hidden layer."""
    return k.unfold(ctx, DELTA_E, 1)


def inside(k: Kernel, ctx: Context, term: Term, step: Theorem) -> Theorem:
    """Equals for equals in a product."""
    assert isinstance(term, Mul)
    return k.congruence(ctx, term, [step if a is step.lhs else k.refl(ctx, a) for a in term.args])


def errors_script(k: Kernel, claim: Claim) -> Out:
    """y_e = x from the input down: y_e^l = P(y_e^{l+1}) + eps^l = P(x^{l+1}) + x^l - P(x^{l+1})."""
    above, output = claim.goals
    (same,) = induct(k, [above], [L - l], Tools(lazy=("y_e",), eager=("eps", "mu")))
    return {"y_e": same}, [same, prove(k, output, Tools([same], lazy=("y_e", "mu")))]


def stationary_script(k: Kernel, claim: Claim) -> Out:
    """ge = 0 says e = delta_e, so eps = delta_e at every layer: backprop's recursion is gx = 0."""
    gradient, errors, *changes = claim.goals
    known = states(k)
    ctx = Context(gradient.variables, gradient.guards)
    known["e"] = equal(k, ctx)
    tools = Tools(list(known.values()))
    every = prove_free(k, errors, tools)
    known["eps = delta_e"] = every
    step = back(k, ctx)
    difference = Add(DELTA_E, neg(step.rhs))
    th = by_cases(
        k,
        ctx,
        eq(l, 1),
        Eq(GX, difference),
        lambda c, _: prove_equation(k, c, GX, difference, Tools([every], lazy=("gx",))),
    )
    th = k.trans(th, k.congruence(ctx, difference, [step, k.refl(ctx, difference.args[1])]))
    return known, [k.trans(th, k.ring(ctx, th.rhs, ZERO)), every, *learn(k, changes, [known["x"], every])]


def equal(k: Kernel, ctx: Context) -> Theorem:
    """e = delta_e where ge = 0."""
    unfolded = k.unfold(ctx, GE, 1)
    zero = k.hypothesis(ctx, "stationary", {"l": l, "b": b, "i": i})
    difference = Add(unfolded.rhs, DELTA_E)
    th = k.ring(ctx, E, difference)
    gone = k.trans(k.sym(unfolded), zero)
    th = k.trans(th, k.congruence(ctx, difference, [gone, k.refl(ctx, DELTA_E)]))
    return k.trans(th, k.ring(ctx, th.rhs, DELTA_E))


def prove_free(k: Kernel, s: Statement, tools: Tools) -> Theorem:
    """At the output and at the hidden layers."""
    ctx = Context(s.variables, s.guards)
    assert isinstance(s.relation, Eq)
    lhs, rhs = s.relation.lhs, s.relation.rhs
    return by_cases(k, ctx, eq(l, 0), s.relation, lambda c, _: prove_equation(k, c, lhs, rhs, tools))


def learn(k: Kernel, changes: Sequence[Statement], known: list[Theorem]) -> list[Theorem]:
    """The changes of weights by their definitions."""
    names = {d.name for g in k.theory.definitions for d in g} - {"y", "y_e", "mu", "eps", "delta", "delta_e"}
    return [prove(k, s, Tools(known, lazy=names)) for s in changes]


def converse_script(k: Kernel, claim: Claim) -> Out:
    """gx = 0 says eps^l = J^T eps^{l-1}, which is the recursion of delta_e; so eps = delta_e, layer by layer."""
    gradient, errors, *changes = claim.goals
    known = states(k)
    (every,) = [recursion(k, errors, list(known.values()))]
    known["eps = delta_e"] = every
    ctx = Context(gradient.variables, gradient.guards)
    at_rest = k.instantiate(ctx, every, {"l": l, "b": b, "i": i})
    same = k.trans(k.sym(k.instantiate(ctx, known["eps"], {"l": l, "b": b, "i": i})), at_rest)
    none = prove_equation(k, ctx, GE, ZERO, Tools([same], eager=("ge",)))
    return known, [none, every, *learn(k, changes, [known["x"], every])]


def recursion(k: Kernel, claim: Statement, lemmas: list[Theorem]) -> Theorem:
    """eps = delta_e by induction over layers."""
    ctx = k.induction_context([claim], [l], 0)
    relation = claim.relation
    assert isinstance(relation, Eq)

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return prove_equation(k, c, relation.lhs, relation.rhs, Tools(lemmas))
        solved = solve_for(k, c, GX, EPS)
        return k.trans(solved, prove_equation(k, c, solved.rhs, relation.rhs, Tools(lazy=("delta_e",))))

    th = by_cases(k, ctx, eq(l, 0), relation, case)
    (out,) = k.induct([claim], [l], [th])
    return out


def weights_script(k: Kernel, claim: Claim) -> Out:
    """The squares of the errors do not vary; the loss telescopes along the perturbed pass."""
    (goal,) = claim.goals
    assert isinstance(goal.relation, Tangent) and isinstance(goal.relation.term, Add)
    squares, loss = goal.relation.term.args
    inner = Statement((), (), Tangent("weights", loss, goal.relation.tangent))
    lemmas, by_loss = loss_gradient(k, inner, Names("y_e", "delta_e", "Dy_e", "weights"))
    ctx = Context()
    th = k.tangent_add(ctx, [k.tangent_constant(ctx, "weights", squares), by_loss])
    assert isinstance(th.relation, Tangent)
    return lemmas, [k.tangent_convert(th, k.ring(ctx, th.relation.tangent, goal.relation.tangent))]
