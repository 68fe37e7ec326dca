"""What is read, who is a neighbour, and the networks that show a remote read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

import pcproof as pp
from pcproof import catalogue
from pcproof import locality as loc
from pcproof.cli import run
from pcproof.language.arith import entails
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import Bound, Idx, IdxLike, eq, qvar
from pcproof.language.show import show, show_statement
from pcproof.language.signature import Case
from pcproof.language.terms import (
    App,
    Inv,
    IsZero,
    Iverson,
    Sum,
    Term,
    add,
    children,
    loose,
    mul,
    rebuild,
    subterms,
    total,
)
from pcproof.locality import Local, NotLocal, Undecided, inference_learning, locality, table_2
from pcproof.networks.network import B, Network, width
from pcproof.proof import check
from pcproof.refute import remote
from pcproof.report.locality import concrete_reads
from pcproof.rules import neighbourhood, reads, zil
from pcproof.rules.equations import ORDERS, Equations, RuleError, static_theory
from pcproof.rules.fixed_prediction import fixed_prediction
from pcproof.rules.incremental import incremental

l, b, i, j, k = qvar("l"), qvar("b"), qvar("i"), qvar("j"), qvar("k")
NETS = (pp.MLP(), pp.MLP(bias=True), pp.Chain())
net = pp.MLP()
x, mu, eps, y, theta, L_, t_, L, gamma, alpha = net.symbols("x mu eps y theta l t L gamma alpha")
F = pp.Sum(pp.sq(x[L_] - mu[L_]) / 2, (L_, 0, L - 1))
PLAIN = -alpha * F.diff(theta[L_ + 1])


def rule(step: Any = None, learn: Any = None, start: Any = None, energy: Any = F, **more: Any) -> pp.Rule:
    """Z-IL with gamma, where nothing else is said."""
    return pp.Rule(
        net,
        energy=energy,
        start={x[L_]: y[L_] if start is None else start},
        step={x[L_]: -gamma * energy.diff(x[L_]) if step is None else step},
        learn={theta[L_ + 1]: -alpha * energy.diff(theta[L_ + 1]) if learn is None else learn},
        when=pp.Eq(t_, L_),
        **more,
    )


def static(change: Term) -> Equations:
    """Z-IL's equations with another change of theta[l,i,j], in static symbols."""
    e = zil(net).equations
    return replace(e, change={"theta": (Case(e.change["theta"][0].guard, change),)}, name="own")


def names(found: loc.Locality) -> set[str]:
    return {show(o.read.symbol) for o, _ in found.remote()}


# -- local rules ----------------------------------------------------------------------------
@pytest.mark.parametrize("network", NETS, ids=lambda n: n.name)
@pytest.mark.parametrize("build", (zil, inference_learning, incremental, fixed_prediction), ids=lambda f: f.__name__)
def test_predictive_coding_is_local(network: Network, build: Callable[[Network], pp.Rule]) -> None:
    found = locality(build(network))
    assert isinstance(found, Local) and found.verdict == "local" and not found.remote()
    assert found.coarse == isinstance(network, pp.Chain)
    kinds = {s.site.kind for s in found.sites}
    assert {"value node", "error node"} < kinds and kinds & {"synapse", "parameter"}
    for o in found.obligations:
        for f in o.facts:
            assert entails((*network.assumptions, *f.by), f.con), f


@pytest.mark.parametrize("order", ORDERS)
def test_every_update_order_is_local(order: str) -> None:
    assert isinstance(locality(rule(order=order)), Local)


def test_a_synapse_reads_its_two_neurons() -> None:
    found = locality(zil(net))
    (synapse,) = (s for s in found.sites if s.site.note == "learning")
    assert show_statement(synapse.statement).endswith(
        "theta[t+1,l,i,j] = alpha*sum_{b<B} eps[t,l-1,b,i]*f[l](x[t,l,b,j]) + theta[t,l,i,j]"
    )
    assert {(show(o.read.symbol), o.role) for o in synapse.obligations} == {
        ("alpha", "constant of the rule"),
        ("eps[t,l-1,b,i]", "postsynaptic error, over the batch"),
        ("f[l]", "function of the unit that it is applied to"),
        ("x[t,l,b,j]", "presynaptic activity, over the batch"),
        ("theta[t,l,i,j]", "own weight"),
    }
    assert found.clock() == ("theta[l] learns where l == t+1",)
    assert locality(incremental(net)).clock() == ()


def test_errors_come_through_the_own_weights() -> None:
    (node,) = (s for s in locality(zil(net)).sites if s.site.kind == "value node" and not s.site.note)
    roles = {show(o.read.symbol): o.role for o in node.obligations}
    assert roles["eps[t,l-1,b,j]"] == "error of a unit that it predicts, through the own weight"
    assert roles["theta[t,l,j,i]"] == "own weight to a unit that it predicts"
    assert roles["df[l]"] == "own function"


def at_start(what: pp.Rule) -> loc.SiteReads:
    (start,) = (s for s in locality(what).sites if s.site.note == "at the start" and s.site.kind == "value node")
    return start


def test_the_start_is_the_own_prediction() -> None:
    for network in NETS:
        start = at_start(zil(network))
        assert show_statement(start.statement).endswith("x[0,l,b,i] = mu[0,l,b,i]")
    start = at_start(rule(start=y[L_] / 2))
    assert [o.role for o in start.obligations] == ["own forward value"]


@pytest.mark.parametrize(
    "what", (zil(pp.MLP(bias=True)), pp.MLP(), pp.Chain()), ids=("zil", "backprop", "backprop chain")
)
def test_the_equations_are_theorems(what: Any) -> None:
    found = locality(what)
    result = pp.prove(found.claim())
    assert isinstance(result, pp.Proved) and result.proof is not None
    report = check.check(result.proof.text.encode())
    assert report["accepted"] and len(report["claims"]) == len(found.sites)
    assert result.proof.digest == found.proof.digest


# -- rules that are not ------------------------------------------------------------------------
NOT_LOCAL = {
    "errors of the whole layer": (lambda: rule(learn=PLAIN * pp.sq(eps[L_])), "eps[t,l-1,b,k]"),
    "weights of another layer": (lambda: rule(learn=PLAIN * pp.sq(theta[1])), "theta[t,1,k,p]"),
    "weights of the own layer": (lambda: rule(learn=PLAIN * pp.sq(theta[L_ + 1])), "theta[t,l,k,p]"),
    "activities of the far layer": (lambda: rule(learn=PLAIN * pp.sq(x[L])), "x[t,L,b,k]"),
    "activities of the output": (lambda: rule(learn=PLAIN * pp.sq(x[0])), "x[t,0,b,k]"),
    "the loss": (lambda: rule(learn=PLAIN * pp.sq(x[0] - mu[0])), "eps[t,0,b,k]"),
    "the energy": (lambda: rule(learn=PLAIN * F), "eps[t,m,b,k]"),
    "activities of the predicted layer": (
        lambda: rule(energy=F + pp.Sum(pp.sq(mu[L_]) / 2, (L_, 0, L - 1))),
        "mu[t,l-1,b,j]",
    ),
    "the energy, in the step": (lambda: rule(step=-F.diff(x[L_]) / (1 + F)), "eps[t,m,c,j]"),
    "forward values of the layer": (lambda: rule(learn=PLAIN * pp.sq(y[L_])), "y[l-1,b,k]"),
    "a start from the output": (lambda: rule(start=y[L_] * pp.sq(y[0])), "y[0,c,j]"),
}


@pytest.mark.parametrize("name", NOT_LOCAL)
def test_a_remote_read_fails_by_name(name: str) -> None:
    build, read = NOT_LOCAL[name]
    found = locality(build())
    assert isinstance(found, NotLocal) and read in names(found), names(found)
    shows_a_change(found.witness)
    assert read in found.sentence()


def shows_a_change(w: remote.Witness) -> None:
    """By the reference evaluator: the read and the update change, what may be read (or sent by a weight) does not."""
    before, after = w.updates()
    assert (before, after) == w.update and before != after and w.remote[1] != w.remote[2]
    one, two = (Evaluator(w.theory, s.evaluator(w.theory, w.site).model) for s in (w.state, w.after))
    compared = 0
    for h in w.site.may:
        for here in entries(h, one, w.at) if h.symbol in w.theory.symbols else ():
            at = tuple(one.index(v, here) for v in h.idx)
            senders = [(n, tuple(one.index(v, here) for v in h.through)) for n in h.weights] if h.through else [None]
            for sender in senders:
                if sender is None or sender[0] in w.theory.symbols:
                    assert told(one, w, h.symbol, at, sender) == told(two, w, h.symbol, at, sender), (h, at, sender)
                    compared += 1
    assert compared


def told(ev: Evaluator, w: remote.Witness, name: str, at: tuple[int, ...], sender: Any) -> Fraction:
    """A quantity at the time of the update, or what arrives of it through a weight."""
    now = w.at.get("t", 0)

    def value(name: str, at: tuple[int, ...]) -> Fraction:
        return Fraction(ev.call(name, (now, *at) if name in w.site.timed else at))

    return value(name, at) * (value(*sender) if sender else 1)


def entries(h: neighbourhood.Held, run_: Evaluator, at: dict[str, int]) -> Iterator[dict[str, int]]:
    for values in product(*(range(run_.index(bound, at)) for _, bound in h.free)):
        here = {**at, **{n: v for (n, _), v in zip(h.free, values)}}
        inside = h.layer is None or h.last is None or 0 <= run_.index(h.layer, here) <= run_.index(h.last, here)
        if inside and not (h.output and h.layer is not None and run_.index(h.layer, here)):
            yield here


@pytest.mark.parametrize("network", NETS, ids=lambda n: n.name)
def test_backprop_is_not_local(network: Network) -> None:
    found = locality(network)
    assert isinstance(found, NotLocal)
    for s in found.sites:
        first = entails(s.site.guards, eq(l, 1))
        assert s.verdict == ("local" if first else "not local"), s.site
    expected = {"s_out[b,k]", "w[l-1,k,i]", "y[0,b,k]", "delta[l-3,b,p]", "y[l-2,b,k]", "w[l-2,p,k]", "df[l-2]"}
    if not isinstance(network, pp.Chain):
        assert expected <= names(found)
    for _, w in found.remote():
        assert w is not None
        shows_a_change(w)


def test_the_witness_against_backprop_by_hand() -> None:
    (w,) = {
        str(w): w
        for o, w in locality(net).remote()
        if w and show(o.read.symbol) == "w[l-1,k,i]" and w.state.shape.depth == 2
    }.values()
    results = []
    for s in (w.state, w.after):
        assert s.activation.name == "identity" and set(s.shape.tables["n"]) == {1}
        e = {k: s.entries.get(k, Fraction(0)) for k in s.entries}
        y2 = e["s_in", (0, 0)]
        y1 = e["w", (2, 0, 0)] * y2
        y0 = e["w", (1, 0, 0)] * y1
        results.append((e["s_out", (0, 0)] - y0) * e["w", (1, 0, 0)] * y2)
    assert tuple(results) == w.update and results[0] != results[1]


def test_table_2() -> None:
    rows = table_2(pp.MLP(bias=True))
    assert [(r.model, r.printed, r.found.verdict) for r in rows] == [
        ("BP", False, "not local"),
        ("IL", True, "local"),
        ("Z-IL", True, "local"),
        ("Fa-Z-IL", True, "local"),
    ]
    assert all(r.agrees for r in rows)


# -- apparent reads ---------------------------------------------------------------------------
def layer_errors() -> Term:
    return total(width(l - 1), lambda u: App("eps", (l - 1, 0, u)))


def test_what_cancels_is_not_read() -> None:
    assert isinstance(locality(rule(learn=PLAIN * (1 + pp.sq(eps[L_]) - pp.sq(eps[L_])))), Local)
    assert isinstance(locality(static(add(App("theta", (l, i, j)), mul(0, layer_errors())))), Local)


def test_a_read_that_never_matters_is_unknown() -> None:
    s = layer_errors()
    found = locality(static(add(App("theta", (l, i, j)), mul(IsZero(s), s))), effort=2_000)
    assert isinstance(found, Undecided) and found.verdict == "unknown" and "apparent" in found.sentence()


def test_an_indicator_restricts_what_is_read() -> None:
    picked = total(B, lambda s: total(width(l - 1), lambda u: mul(Iverson((eq(u, i),)), App("eps", (l - 1, s, u)))))
    assert isinstance(locality(static(picked)), Local)
    other = total(B, lambda s: total(width(l - 1), lambda u: mul(Iverson((eq(u, i + 1),)), App("eps", (l - 1, s, u)))))
    assert isinstance(locality(static(other)), NotLocal)


@pytest.mark.parametrize("wrap", (Inv, IsZero, lambda s: App("f", (l,), (s,)), lambda s: mul(s, s)))
def test_nothing_hides_a_read(wrap: Callable[[Term], Term]) -> None:
    found = locality(static(wrap(layer_errors())), effort=6_000)
    assert isinstance(found, NotLocal) and "eps[t,l-1,0,k]" in names(found)


def test_the_walk_passes_over_no_symbol() -> None:
    """Against a plain count of applications, on every definition of the catalogue."""
    counted = 0
    for entry in catalogue.entries().values():
        theory = entry.claim().theory
        for d in (d for group in theory.definitions for d in group):
            for c in d.cases:
                found = reads.reads(theory, c.value, d.params)
                assert len(found) == sum(isinstance(s, App) for s in subterms(c.value))
                counted += len(found)
    assert counted > 500


def test_symbolic_and_concrete_reads_agree() -> None:
    """The read set at depth 4, width 3 is that of an independent walk over numbers."""
    e = zil(pp.MLP(bias=True)).equations
    theory = static_theory(e)
    ev = Evaluator(theory, Model({"L": 4, "B": 1, "n": lambda _: 3}))
    for name, at in (("step", (2, 0, 1)), ("dtheta", (3, 1, 2)), ("dbeta", (1, 2))):
        d = theory.definition(name)
        assert d is not None
        env = dict(zip(d.params, at))
        found = set()
        for r in reads.reads(theory, d.cases[0].value, d.params):
            if r.term.idx and not r.function:
                for values in product(*(range(ev.index(bound, env)) for _, bound in r.bound)):
                    here = {**env, **{n: v for (n, _), v in zip(r.bound, values)}}
                    found.add((r.term.name, tuple(ev.index(a, here) for a in r.term.idx)))
        assert found == concrete_reads(theory, name, at, ())


# -- attacks ------------------------------------------------------------------------------------
UNITS = {"x": (2,), "eps": (2,), "theta": (1, 2), "beta": (1,), "f": (), "df": ()}


def occurrences(t: Term) -> list[App]:
    return [s for s in subterms(t) if isinstance(s, App) and s.name in UNITS]


def changed(t: Term, n: int, to: App) -> Term:
    """``t`` with occurrence ``n`` replaced; its arguments stay."""
    count = -1

    def go(s: Term) -> Term:
        nonlocal count
        if isinstance(s, App) and s.name in UNITS:
            count += 1
            if count == n:
                return to
        kids = children(s)
        return rebuild(s, [go(c) for _, c in kids]) if kids else s

    return go(t)


def displaced(a: App, units: tuple[IdxLike, ...]) -> Iterator[App]:
    """By one layer, or to another unit."""
    for by in (1, -1):
        yield App(a.name, (a.idx[0] + by, *a.idx[1:]), a.args)
    for p in UNITS[a.name]:
        for u in units:
            if Idx.of(u) != a.idx[p]:
                yield App(a.name, (*a.idx[:p], Idx.of(u), *a.idx[p + 1 :]), a.args)


def mutants(e: Equations) -> Iterator[tuple[str, Equations]]:
    for where, cases in (("step", e.step), *e.change.items()):
        (case,) = cases
        own: tuple[IdxLike, ...] = (i, j) if where == "theta" else (i,)
        for n, a in enumerate(occurrences(case.value)):
            inner: tuple[IdxLike, ...] = (Bound(0),) if where == "step" and loose(a) else ()
            for to in displaced(a, (*own, *inner, 0)):
                new = (Case(case.guard, changed(case.value, n, to)),)
                m = replace(e, step=new) if where == "step" else replace(e, change={**e.change, where: new})
                yield f"{where}: {a!r} -> {to!r}", m


MUTANTS = dict(mutants(zil(pp.MLP(bias=True), gamma=None).equations))


def test_there_are_mutants() -> None:
    assert len(MUTANTS) >= 30


@pytest.mark.parametrize("name", MUTANTS)
def test_every_displaced_read_is_noticed(name: str) -> None:
    found = locality(MUTANTS[name])
    assert isinstance(found, NotLocal), found.sentence()
    shows_a_change(found.witness)


def test_another_sample_is_remote_to_a_neuron_and_not_to_a_synapse() -> None:
    e = zil(net).equations
    step = add(mul(-1, App("eps", (l, 0, i))), App("x", (l, b, i)))
    found = locality(replace(e, step=(Case(e.step[0].guard, step),)))
    assert isinstance(found, NotLocal) and "eps[t,l,0,i]" in names(found)
    first = Sum(B, mul(App("eps", (l - 1, Bound(0), i)), App("x", (l, 0, j))))
    assert isinstance(locality(static(first)), Local)


def test_the_neighbourhood_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one neighbour less the same rule fails, and the network found is real."""
    kept = neighbourhood.Neighbourhood.value_node

    def without(self: neighbourhood.Neighbourhood) -> tuple[neighbourhood.Held, ...]:
        return tuple(h for h in kept(self) if h.through is None)

    monkeypatch.setattr(neighbourhood.Neighbourhood, "value_node", without)
    found = locality(zil(net))
    assert isinstance(found, NotLocal) and "eps[t,l-1,b,j]" in names(found)
    shows_a_change(found.witness)


@pytest.mark.parametrize(
    "what", (zil(pp.MLP(bias=True), gamma=None), rule(energy=F + pp.Sum(pp.sq(theta[L_]), (L_, 1, L))))
)
def test_states_that_agree_in_the_neighbourhood_get_the_same_update(what: pp.Rule) -> None:
    """What "local" says, tried on random states: only the neighbourhood is compared, not the reads."""
    found = locality(what)
    assert isinstance(found, Local)
    random, agreed = Random(1), 0
    for s in found.sites:
        search = remote._Search(found.net, found.proof.kernel.theory, s.theorem.rhs, s.obligations, s.obligations[0])
        search.lawful = []
        for shape in [v for v in search._shapes() if v.depth == 2][-2:-1]:
            for env in search._places(shape):
                blank = remote.State(shape, remote.ACTIVATIONS[2], {}).evaluator(search.theory, s.site)
                allowed = search._allowed(blank, env)
                search.lawful = [o.read for o in s.obligations]
                keys = search._entries(shape, blank, env)
                search.lawful = []
                for _ in range(2):
                    values = {key: Fraction(random.choice((0, 0, 1, 2, -1))) for key in keys}
                    old = remote.State(shape, remote.ACTIVATIONS[2], values)
                    ev = old.evaluator(search.theory, s.site)
                    for key in random.sample(keys, min(len(keys), 12)):
                        new = replace(old, entries={**values, key: values[key] + 1}).evaluator(search.theory, s.site)
                        if search._info(new, env, allowed) == search._info(ev, env, allowed):
                            agreed += 1
                            assert new.value(search.term, env) == ev.value(search.term, env), (s.site, key)
    assert agreed > 100, agreed


# -- edges ------------------------------------------------------------------------------------
def test_errors() -> None:
    class Odd(Network):
        name = "odd"
        kinds = net.kinds
        functions = net.functions
        bias = False
        prediction = pp.MLP.prediction

    with pytest.raises(RuleError, match="locality is defined for MLP and Chain; of odd no neighbourhood is known"):
        locality(zil(Odd()))
    with pytest.raises(TypeError, match="a rule, its equations or a network was expected, got int"):
        locality(3)
    with pytest.raises(TypeError, match="no truth value"):
        bool(locality(zil(net)))


# -- command line -----------------------------------------------------------------------------
OWN = """
from pcproof import MLP, Rule, Sum, Eq, sq
net = MLP()
x, mu, eps, y, theta, l, t, L, alpha = net.symbols("x mu eps y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
def make(factor):
    return Rule(net, energy=F, start={x[l]: y[l]}, step={x[l]: -F.diff(x[l])}, when=Eq(t, l),
                learn={theta[l + 1]: -alpha * F.diff(theta[l + 1]) * factor})
near, far = make(1), make(sq(eps[l]))
"""


def test_cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    assert run(["locality", "zil"]) == 0
    out = capsys.readouterr().out
    assert "Local: zil on MLP" in out and "postsynaptic error, over the batch" in out and "theorem: for all" in out
    assert run(["locality", f"{path}:near", "--facts"]) == 0
    assert "from l <= L" in capsys.readouterr().out
    assert run(["locality", f"{path}:far"]) == 1
    out = capsys.readouterr().out
    assert (
        "Not local: rule on MLP" in out and "k need not be i" in out and "nothing in the neighbourhood changes" in out
    )
    assert run(["locality", "backprop_gradient", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "not local" and document["scope"]["depth"] == "arbitrary"
    assert any(r["witness"] for s in document["sites"] for r in s["reads"] if not r["local"])
    assert run(["locality", "learning_fixed_point"]) == 2
    assert "is not about a rule" in capsys.readouterr().err
    assert run(["locality"]) == 0
    assert "Table 2" in capsys.readouterr().out
