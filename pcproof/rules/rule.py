"""A learning rule, stated in the public words; built-in rules are stated the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Union

from ..language.diff import split_cases
from ..language.fold import fold
from ..language.index import Con, Idx, QVar, Size, ge, le, qvar, span
from ..language.signature import Case, Claim, Ne, Statement, Symbol
from ..language.terms import ZERO, App, Inv, Pow, Term, free_vars, mul, replace_apps, subst, subst_con, subterms, tidy
from ..networks.network import B, L, Network, width
from .claims import equals_backprop
from .domain import check_domain
from .equations import EVERY_STEP, ORDERS, PHI, QUIET, SYNCHRONOUS, Equations, Gate, RuleError, moment
from .surface import BEFORE, Field, Number, Scalar, indicator_parts, number, short


def _layer_variable(f: Field) -> tuple[str, int]:
    """The variable and the shift in a key such as theta[l + 1]."""
    if len(f.layer.terms) != 1 or f.layer.terms[0][1] != 1 or not isinstance(f.layer.terms[0][0], QVar):
        raise RuleError(f"a key such as x[l] or theta[l + 1] must hold for every layer, got layer {f.layer!r}")
    return f.layer.terms[0][0].name, f.layer.const


class Rule:
    """An energy, a start, a step, plasticity and its moments.

    net: the network.
    energy: F, a ``Scalar`` built with ``Sum`` and ``sq`` or by ``net.energy_from``.
    start: {x[l]: value} at time 0, for hidden layers; clamped layers are skipped.
    step: {x[l]: change of x[l] from t to t + 1}, for hidden layers.
    learn: {theta[l + 1]: change}, for every kind of weight of the network.
    when: ``Eq(t, ...)``, the moment at which theta[l + 1] learns; or ``EVERY_STEP``;
        or a factor such as ``nonzero(eps[l])``, made of the units' own errors, by
        which they learn at every time (each sample for itself).
    order: update order inside one time step; see ``equations.ORDERS``.
    held: predictions and their derivatives keep the values of the forward pass
        while the activities move (fixed prediction).
    momentum: beta, so that x moves by beta times its last move, and the step.
    output: what the output is clamped to, such as y[0] + beta * (target - y[0]);
        the target, if it is not given.

    Raises RuleError with one sentence on anything that is not understood.
    Source: Song et al. (2020), section 2 and Algorithm 1.
    """

    def __init__(
        self,
        net: Network,
        *,
        energy: Scalar,
        start: Mapping[Field, Field],
        step: Mapping[Field, Field],
        learn: Mapping[Field, Field],
        when: Union[Con, Field],
        order: str = SYNCHRONOUS,
        name: str = "rule",
        held: bool = False,
        momentum: Union[Scalar, Number, None] = None,
        output: Field | None = None,
    ) -> None:
        if not isinstance(net, Network):
            raise RuleError(f"a network such as MLP() was expected, got {net!r}")
        if not isinstance(name, str) or not name.isidentifier():
            raise RuleError(f"a rule's name becomes a file name and must be an identifier, got {name!r}")
        if not isinstance(energy, Scalar):
            raise RuleError(
                f"energy must be a sum such as Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1)), got {short(energy)}"
            )
        if isinstance(when, bool) or not isinstance(when, (Con, Field)):
            raise RuleError("`when` must be an equation; write Eq(t, l) (Python's t == l is just False)")
        if free_vars(energy.term):
            raise RuleError(f"the energy has the free index {sorted(free_vars(energy.term))[0]!r}; sum over it")
        if not isinstance(learn, Mapping):
            raise RuleError("learn must be a mapping like {theta[l + 1]: ...}")
        gate = _gate(when) if isinstance(when, Field) else None
        at = when if isinstance(when, Con) else EVERY_STEP
        try:
            if gate is None and at != EVERY_STEP:
                moment(at)  # refuses a `when` that does not fix a moment
        except RuleError:
            raise RuleError(f"`when` must fix one moment for each layer, like Eq(t, l); got {when!r}") from None
        if not isinstance(held, bool):
            raise RuleError(f"held is True or False, got {short(held)}")
        if order not in ORDERS:
            raise RuleError(f"unknown update order {order!r}; expected one of {', '.join(ORDERS)}")
        self.net = net
        self.name = name
        step_cases = self._state("step", step)
        start_cases = self._state("start", start)
        if len(start_cases) != 1 or len(start_cases[0].guard) != 2:
            raise RuleError("start must be one value for every hidden layer")
        timed = {"x", "mu", "eps"} | {k.name for k in net.kinds}
        for s in subterms(start_cases[0].value):
            if isinstance(s, App) and s.name in timed:
                raise RuleError(f"start is what holds before the first step; it may use y[l], not {s.name}")
        beta = None if momentum is None else _momentum(momentum)
        clamped = None if output is None else _output(output)
        if beta is not None and (order != SYNCHRONOUS or held or gate is not None):
            raise RuleError("momentum is understood in the synchronous order, without held predictions or gates")
        change: dict[str, tuple[Case, ...]] = {}
        moments = set()
        for key, value in learn.items():
            kind, m, cases = self._weight(key, value, at)
            change[kind] = cases
            moments.add(m)
            if isinstance(when, Field) and key.layer != when.layer + 1:
                raise RuleError(f"`when` is about layer {when.layer!r}, whose weights are not {key!r}")
        missing = [k.name for k in net.kinds if k.name not in change]
        if missing:
            raise RuleError(f"learn does not say how {missing[0]!r} changes")
        if len(moments) != 1:
            raise RuleError("all kinds of weights must use the same layer index in `learn`")
        used: set[tuple[str, int]] = set()
        own_sizes: dict[str, int] = {}
        further = [x for x in (beta, clamped) if x is not None]
        for term in [
            energy.term,
            *further,
            *(c.value for cs in (step_cases, start_cases, *change.values()) for c in cs),
        ]:
            for s in subterms(term):
                if isinstance(s, App) and s.name not in RESERVED | {k.name for k in net.kinds}:
                    if s.name not in {f.name for f in net.functions}:
                        used.add((s.name, len(s.idx)))
        for c in moments:
            own_sizes.update({a.name: 0 for a in c.expr.atoms() if not isinstance(a, QVar) and hasattr(a, "name")})
        if gate is not None:
            own_sizes.update({a.name: 0 for a in gate.window.atoms() if isinstance(a, Size)})
            if {PHI, QUIET} & {n for n, _ in used}:
                raise RuleError(f"{PHI!r} and {QUIET!r} have a meaning in a rule that learns by its errors")
        names = [n for n, _ in used]
        for n in set(names):
            if names.count(n) > 1:
                raise RuleError(f"the parameter {n!r} is used both with and without an index")
        parameters = tuple(
            Symbol(
                n,
                "parameter",
                arity,
                shape="scalar" if not arity else "layer or time",
                meaning=MEANINGS.get(n, "parameter of the rule"),
            )
            for n, arity in sorted(used)
        )
        self.equations = Equations(
            net=net,
            energy=fold(energy.term, "eps", ("l", "b", "i"), _EPS),
            start=start_cases[0].value,
            step=step_cases,
            change=change,
            when=moments.pop(),
            order=order,
            parameters=parameters,
            sizes={n: a for n, a in own_sizes.items() if n not in net.sizes},
            name=name,
            held=held,
            momentum=beta,
            output=clamped,
        )
        check_domain(self.equations)
        if gate is not None:
            self.equations = gated(self.equations, gate)

    # -- reading ----------------------------------------------------------------
    def _state(self, what: str, given: Mapping[Field, Field]) -> tuple[Case, ...]:
        if not isinstance(given, Mapping) or len(given) != 1:
            raise RuleError(f"{what} must be a mapping with one entry, like {{x[l]: ...}}")
        ((key, value),) = given.items()
        if not isinstance(key, Field) or key.symbol != "x":
            raise RuleError(f"the key of {what} must be x[l], got {key!r}")
        variable, by = _layer_variable(key)
        if isinstance(value, int) and value == 0:
            value = Field(self.net, key.kind, key.layer, ZERO)
        if not isinstance(value, Field) or value.kind != "state" or value.layer != key.layer:
            raise RuleError(f"{what} of {key!r} must be a quantity of the same layer, got {short(value)}")
        l = qvar("l")
        domain = (ge(l, 1), le(l + 1, L))
        ranges = (*span(qvar("b"), 0, B), *span(qvar("i"), 0, width(l)))
        return self._cases(what, subst(value.term, {variable: l - by}), domain, ranges, {"l", "b", "i", "t"})

    def _weight(self, key: Field, value: object, when: Con) -> tuple[str, Con, tuple[Case, ...]]:
        kinds = {k.name: k for k in self.net.kinds}
        if not isinstance(key, Field) or key.symbol not in kinds:
            raise RuleError(f"the keys of learn must be {' or '.join(f'{k}[l + 1]' for k in kinds)}, got {key!r}")
        if not isinstance(value, Field) or value.kind != key.kind or value.layer != key.layer:
            raise RuleError(f"the change of {key!r} must be a quantity of the same layer and shape, got {short(value)}")
        kind = kinds[key.kind]
        variable, by = _layer_variable(key)
        l = qvar("l")
        here = {variable: l - by}
        units = tuple(qvar(u) for u in kind.units)
        ranges = tuple(c for u, bound in zip(units, kind.bounds(l)) for c in span(u, 0, bound))
        domain = (ge(l, 1), le(l, L))
        stray = {a.name for a in when.expr.atoms() if isinstance(a, QVar)} - {"t", variable}
        if stray:
            raise RuleError(f"`when` mentions {sorted(stray)[0]!r}, which is not an index of learn's keys")
        cases = self._cases("learn", subst(value.term, here), domain, ranges, {"l", "t", *kind.units})
        return kind.name, subst_con(when, here), cases

    def _cases(
        self, what: str, term: Term, domain: tuple[Con, ...], ranges: tuple[Con, ...], allowed: set[str]
    ) -> tuple[Case, ...]:
        stray = free_vars(term) - allowed
        if stray:
            raise RuleError(f"{what} mentions the index {sorted(stray)[0]!r}, which nothing fixes")
        layer_one = {"l": 1, "L": 1}
        for s in subterms(term):
            if isinstance(s, Pow):
                known = [(layer_one.get(getattr(a, "name", ""), 0), c) for a, c in s.exponent.terms]
                if any(c < 0 for _, c in known) or s.exponent.const + sum(v * c for v, c in known) < 0:
                    raise RuleError(f"{what}: the exponent {s.exponent!r} may be negative at some layer")
        term = fold(term, "eps", ("l", "b", "i"), _EPS)
        return split_cases(indicator_parts(term), domain, (*self.net.assumptions, *ranges))

    # -- claims -----------------------------------------------------------------
    def equals_backprop(self) -> Claim:
        """After its moment, every weight has moved exactly as backprop moves it.

        Parameters by which the rule divides are taken to differ from 0; the
        result lists these hypotheses.
        """
        if self.equations.gate is not None:
            from .fazil_claims import no_harm

            return no_harm(self.equations)
        claim = equals_backprop(self.equations)
        nonzero = divisors(self.equations)
        return replace(claim, theory=claim.theory.extend(hypotheses=nonzero)) if nonzero else claim

    def derive(self) -> Any:
        """Everything that follows from the energy; renders in Jupyter."""
        from ..derive import derive

        return derive(self)

    def __repr__(self) -> str:
        return f"Rule({self.name!r}, {self.net.name})"


def _momentum(value: Union[Scalar, Number]) -> Term:
    """beta, a number or a parameter without an index."""
    term = value.term if isinstance(value, Scalar) else number(value)
    if free_vars(term) or any(isinstance(s, App) and s.idx for s in subterms(term)):
        raise RuleError(f"momentum is one number or parameter, the same everywhere; got {short(value)}")
    return term


def _output(value: Field) -> Term:
    """What the output layer is clamped to, over b, i."""
    if not isinstance(value, Field) or value.kind != "state" or value.layer != Idx(0):
        raise RuleError(f"output must be a quantity of layer 0, like y[0] + beta * (target - y[0]); got {short(value)}")
    for s in subterms(value.term):
        if isinstance(s, App) and s.name in ("x", "mu", "eps"):
            raise RuleError(f"output is what holds at every time; it may use y[0] and target, not {s.name}")
    stray = free_vars(value.term) - {"b", "i"}
    if stray:
        raise RuleError(f"output mentions the index {sorted(stray)[0]!r}, which nothing fixes")
    return value.term


def _gate(when: Field) -> Gate:
    """The factor phi of a rule that learns by its errors, over l, b, i."""
    if when.kind != "state":
        raise RuleError(f"`when` must be about the units of a layer, like nonzero(eps[l]); got {short(when)}")
    variable, by = _layer_variable(when)
    here = subst(when.term, {variable: qvar("l") - by})
    windows = list(dict.fromkeys(s for s in subterms(here) if isinstance(s, App) and s.name == BEFORE))
    if len(windows) > 1:
        raise RuleError(f"`when` may look back over one window, got {len(windows)}: {short(when)}")
    past, window = None, Idx(0)
    if windows:
        past, window = fold(windows[0].args[0].body, "eps", ("l", "b", "i"), _EPS), windows[0].idx[0]
        if any(not isinstance(a, Size) or a.args for a in window.atoms()):
            raise RuleError(f"the window of `before` is the same for every unit and time; got {window!r}")
        if not window.terms and window.const < 1:
            raise RuleError(f"`before` looks back at least one time, got {window!r}")
    value = replace_apps(here, lambda a: App(QUIET, (window, *_UNIT)) if a.name == BEFORE else None)
    value = fold(value, "eps", ("l", "b", "i"), _EPS)
    for s in (s for part in (value, past) if part is not None for s in subterms(part)):
        if isinstance(s, App) and not (s.name == QUIET or (s.name == "eps" and s.idx == _UNIT)):
            raise RuleError(f"`when` may read the unit's own error eps[{when.layer!r}] only; it reads {short(s)}")
    return Gate(value, past, window)


def gated(e: Equations, gate: Gate) -> Equations:
    """The rule in which every error counts by phi where weights change."""
    for kind, cases in e.change.items():
        for c in cases:
            if tidy(replace_apps(c.value, lambda a: ZERO if a.name == "eps" else None)) is not ZERO:
                raise RuleError(
                    f"`when` is a factor of the errors, and {kind} changes without an error: {short(c.value)}"
                )

    def put(a: App) -> Term | None:
        return mul(App(PHI, a.idx), a) if a.name == "eps" else None

    change = {kind: tuple(Case(c.guard, replace_apps(c.value, put)) for c in cases) for kind, cases in e.change.items()}
    return replace(e, change=change, gate=gate)


def divisors(e: Equations) -> dict[str, Statement]:
    """Hypotheses, by name, that what the rule divides by is not 0: parameters and sums and products of them."""
    parameters = {p.name for p in e.parameters} | {"alpha"}
    further = [x for x in (e.momentum, e.output) if x is not None]
    hidden = (ge(qvar("l"), 1), le(qvar("l") + 1, L))
    cases = [Case(hidden, e.start), *(Case((), x) for x in further)]
    cases += [c for cs in (e.step, *e.change.values()) for c in cs]
    out: dict[str, Statement] = {}
    for term, guard in dict.fromkeys((s.arg, c.guard) for c in cases for s in subterms(c.value) if isinstance(s, Inv)):
        base = term.base if isinstance(term, Pow) else term
        if any(isinstance(s, App) and s.name not in parameters for s in subterms(base)):
            continue
        if isinstance(base, App):
            # an indexed parameter at every layer or time
            index = tuple(qvar("m") for _ in base.idx)
            guards = tuple(ge(m, 0) for m in index)
            out[f"{base.name}_nonzero"] = Statement(("m",) * len(index), guards, Ne(App(base.name, index), ZERO))
        elif any(isinstance(s, App) for s in subterms(base)):
            free = tuple(sorted(free_vars(base)))
            where = tuple(c for c in guard if {a.name for a in c.expr.atoms() if isinstance(a, QVar)} <= set(free))
            times = (ge(qvar("t"), 0),) if "t" in free else ()
            said = Statement(free, (*times, *where) if free else (), Ne(base, ZERO))
            if said not in out.values():
                out[f"divisor_{len(out) + 1}_nonzero"] = said
    return out


RESERVED = {"x", "mu", "eps", "y", "s_in", "s_out", "alpha"}
MEANINGS = {"gamma": "step size of inference"}
_UNIT = (qvar("l"), qvar("b"), qvar("i"))
_EPS = App("x", (qvar("l"), qvar("b"), qvar("i"))) - App("mu", (qvar("l"), qvar("b"), qvar("i")))
