"""Z-IL on levelled graphs: the definitions are the paper's on a graph; false variants are refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import prod

import pytest
import sympy

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import ge, qvar
from pcproof.language.signature import Claim, Eq
from pcproof.language.terms import App, Num, mul
from pcproof.refute.layout import network_text
from pcproof.rules import levelled_graph as graph
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l, p = qvar("t"), qvar("l"), qvar("p")
# outputs 0 and 1; 2 and 3 at level 1; 4 at level 2
LEVELS = (0, 0, 1, 1, 2)
EDGES = {(0, 2), (0, 3), (1, 3), (2, 4), (3, 4)}
# leaf 0 is read by both outputs, leaf 1 by output 0 only, 2 by both of level 1, 3 and 4 by the last vertex
LEAF_LEVELS = (1, 1, 2, 3, 3)
STEMS = {(0, 0), (1, 0), (0, 1), (2, 2), (3, 2), (4, 3), (4, 4)}
LEAVES, TARGETS = (2, 1, 3, 1, -2), (5, 7)


def vertex(v: int, read: list, leaves: list):  # type: ignore[no-untyped-def,type-arg]
    """g: (v + 1 + sum of squares of what is read) times the product of 1 + leaf."""
    return (v + 1 + sum(x * x for x in read)) * prod(1 + z for z in leaves)


def model(edges: set[tuple[int, int]] = EDGES, stems: set[tuple[int, int]] = STEMS) -> Model:
    n, m = len(LEVELS), len(LEAF_LEVELS)

    def parts(v: int, r: Callable, s: Callable) -> tuple[list[Fraction], list[Fraction]]:  # type: ignore[type-arg]
        return [r(k) for k in range(n - v - 1)], [s(q) for q in range(m)]

    def by_vertex(v: int, k: int, r: Callable, s: Callable) -> Fraction:  # type: ignore[type-arg]
        if not 0 <= k < n - v - 1:  # under an indicator that is 0
            return Fraction(0)
        return Fraction(2 * r(k) * prod(1 + z for z in parts(v, r, s)[1]))

    def by_leaf(v: int, q: int, r: Callable, s: Callable) -> Fraction:  # type: ignore[type-arg]
        read, leaves = parts(v, r, s)
        return Fraction(vertex(v, read, leaves[:q] + leaves[q + 1 :]))

    return Model(
        sizes={"L": n, "N": m, "len": lambda v: LEVELS[v] + 1, "len_leaf": lambda q: LEAF_LEVELS[q] + 1},
        parameters={
            "A": lambda v, u: Fraction((v, u) in edges),
            "C": lambda v, q: Fraction((v, q) in stems),
            "z": lambda q: Fraction(LEAVES[q]),
            "target": lambda v: Fraction(TARGETS[v]),
            "alpha": lambda: Fraction(1),
        },
        functions={"g": lambda v, r, s: Fraction(vertex(v, *parts(v, r, s))), "gx": by_vertex, "gz": by_leaf},
    )


def descent(edges: set[tuple[int, int]], stems: set[tuple[int, int]] = STEMS) -> list[Fraction]:
    """Minus the gradient of the loss, by SymPy from the graph's function."""
    z = sympy.symbols(f"z:{len(LEAVES)}")

    def value(v: int) -> sympy.Expr:
        return vertex(v, [value(u) for w, u in sorted(edges) if w == v], [z[q] for w, q in sorted(stems) if w == v])

    loss = sum((target - value(v)) ** 2 for v, target in enumerate(TARGETS)) / 2
    at = dict(zip(z, LEAVES))
    return [Fraction(int(-sympy.diff(loss, leaf).subs(at))) for leaf in z]


def moved(edges: set[tuple[int, int]], stems: set[tuple[int, int]] = STEMS) -> tuple[list[Fraction], list[Fraction]]:
    """Backprop's changes and those that the leaves have made in the end."""
    run = Evaluator(graph.running_theory(), model(edges, stems))
    leaves = range(len(LEAVES))
    own = [run.value(App("dz", (p,)), {"p": q}) for q in leaves]
    return own, [run.value(App("zeta", (t, p)), {"t": 5, "p": q}) - LEAVES[q] for q in leaves]


def test_backprop_is_the_gradient_and_every_leaf_makes_its_change() -> None:
    gradient = descent(EDGES)
    assert all(gradient)
    assert moved(EDGES) == (gradient, gradient)


def test_an_edge_past_a_level_spoils_it() -> None:
    skipping = EDGES | {(0, 4)}
    backprop, own = moved(skipping)
    assert backprop == descent(skipping)
    assert own[:2] == backprop[:2]  # leaves of the outputs
    assert own[3] != backprop[3]


def test_a_leaf_read_past_a_level_spoils_it() -> None:
    skipping = STEMS | {(0, 3)}
    backprop, own = moved(EDGES, skipping)
    assert backprop == descent(EDGES, skipping)
    assert own[3] != backprop[3]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(without(graph.zil_levelled(), "leaves_levelled"))


def test_the_other_sign_of_the_change_is_not_proved() -> None:
    claim = graph.zil_levelled()
    errors, change, final = claim.goals
    opposite = replace(change, relation=Eq(App("dzeta", (t, p)), mul(-1, App("dz", (p,)))))
    with pytest.raises((Stuck, ValueError)):
        prove_claim(replace(claim, goals=(errors, opposite, final)))


def test_it_is_proved_with_an_exact_instance() -> None:
    assert pp.prove(graph.zil_levelled()).verdict == "proved"


def test_the_lemma_of_the_printed_proof_is_not_true_at_the_level() -> None:
    """eps is 0 before t = lev(l) (E7), and delta, not 0, at it."""
    run = Evaluator(graph.running_theory(), model())
    for v, level in enumerate(LEVELS):
        errors = [run.value(App("eps", (t, l)), {"t": time, "l": v}) for time in range(level + 1)]
        assert not any(errors[:-1])
        assert errors[-1] == run.value(graph.ERROR, {"l": v}) != 0


def without(claim: Claim, name: str) -> Claim:
    held = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
    return replace(claim, theory=replace(claim.theory, hypotheses=held))


def false_claims() -> dict[str, Claim]:
    claim = graph.zil_levelled()
    errors, changes, final = claim.goals
    early = replace(errors, guards=errors.guards[:-1])
    late = replace(final, guards=(*final.guards[:-1], ge(t, graph.leaf_level(p) + 1)))
    after = graph.equals_backprop(graph.running_theory(moment=graph.MOMENT + 1))
    return {
        "half a step": graph.equals_backprop(graph.running_theory(Num(Fraction(1, 2)))),
        "the printed sign": graph.equals_backprop(graph.running_theory(Num(-1))),
        "leaves one step late": replace(after, goals=(errors, changes, late)),
        "errors at any time": replace(claim, goals=(early, changes, final)),
        "edges past a level": graph.with_skips(claim),
        "edges anywhere": without(claim, "edges_levelled"),
    }


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.refute(claim).verdict == "refuted"


def test_a_counterexample_names_the_levels() -> None:
    found = pp.refute(entries()["zil_skipped_level"].claim())
    assert found.counterexample is not None
    assert "len(0) = 1, len(1) = 3" in network_text(found.counterexample)
