"""Is a learning rule local?  Read sets of every neuron and synapse, for every depth and width.

For each kind of neuron and synapse the kernel proves ``new value = normal
form``, from the rule's own equations; what is read is read off the right-hand
side (``rules.reads``), and each read has to lie in the neighbourhood
(``rules.neighbourhood``) by linear integer arithmetic.  A read elsewhere is
confirmed by two exact states of a small network that agree in all that may be
read and differ in the update (``refute.remote``); where none is found, the
read may be apparent and the verdict is "unknown".

The equations are theorems of the kernel (``Locality.proof`` is a proof like
any other, with a certificate).  That their right-hand sides read no more is a
decided property of terms: trusted are the walk over the term and
``arith.entails``, not the kernel.  That a term depends on no other quantity than
those whose symbols occur in it needs no theorem.

Errors are quantities of a predictive-coding network, held by error nodes; backprop's
delta is held by no unit, so it is unfolded (twice), and what it is made of is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .language.index import Idx, QVar, eq, qvar, size
from .language.show import show, show_guards, show_statement
from .language.signature import Claim, Eq, Relation, Statement, Theory
from .language.terms import App, Term
from .networks.gradients import backprop_theory
from .networks.network import L, Network
from .proof.certificate import Proof
from .proof.kernel import Context, Kernel, KernelError, Theorem
from .refute.remote import EFFORT, Witness, find_witness
from .rules.equations import Equations, RuleError, timed_theory
from .rules.fazil import fazil
from .rules.neighbourhood import Neighbourhood, Site, backprop_sites, sites
from .rules.reads import Obligation, decide, reads
from .rules.rule import Rule
from .rules.surface import Eq as at_time
from .rules.surface import Sum, sq, symbols
from .rules.zil import zil
from .tactics.normal import normalize
from .tactics.rewrite import bottom_up, by_cases, determined

LOCAL, NOT_LOCAL, UNKNOWN = "local", "not local", "unknown"


@dataclass(frozen=True)
class SiteReads:
    """One kind of neuron or synapse: what its new value is (a theorem), and what it reads.

    witnesses: for obligations that fail, by position, where changing the remote quantity alone changes the update.
    """

    site: Site
    theorem: Theorem
    obligations: tuple[Obligation, ...]
    witnesses: dict[int, Witness] = field(default_factory=dict)

    @property
    def statement(self) -> Statement:
        return self.theorem.statement()

    @property
    def verdict(self) -> str:
        if all(o.ok for o in self.obligations):
            return LOCAL
        return NOT_LOCAL if self.witnesses else UNKNOWN

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "site": self.site.kind,
            "note": self.site.note,
            "updated": show(self.site.updated),
            "where": show_guards(self.site.guards),
            "theorem": show_statement(self.statement),
            "verdict": self.verdict,
            "reads": [
                {
                    "read": shown(o),
                    "where": show_guards(o.read.guards),
                    "role": o.role if o.ok else "",
                    "local": o.ok,
                    "why_not": o.why,
                    "facts": [{"fact": str(f), "by": show_guards(f.by)} for f in o.facts],
                    "witness": self.witnesses[n].as_dict() if n in self.witnesses else None,
                }
                for n, o in enumerate(self.obligations)
            ],
        }


@dataclass(frozen=True)
class Locality:
    """The verdict about a rule, with everything that it rests on.

    coarse: the neighbourhood is one of layers and not of units (``Chain``).
    """

    name: str
    net: Network
    sites: tuple[SiteReads, ...]
    proof: Proof
    coarse: bool = False

    def __bool__(self) -> bool:
        raise TypeError("a verdict has no truth value; look at .verdict, so that unknown cannot pass for local")

    @property
    def verdict(self) -> str:
        return max((s.verdict for s in self.sites), key=[LOCAL, UNKNOWN, NOT_LOCAL].index)

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        return tuple(o for s in self.sites for o in s.obligations)

    def remote(self) -> tuple[tuple[Obligation, Witness | None], ...]:
        """Every read outside the neighbourhood; first those that change an update, and best alone."""
        found = [(o, s.witnesses.get(n)) for s in self.sites for n, o in enumerate(s.obligations) if not o.ok]
        return tuple(sorted(found, key=lambda f: (f[1] is None, f[1] is not None and not f[1].alone)))

    def clock(self) -> tuple[str, ...]:
        """Where the time itself is read, in guards and constants: a question of autonomy, not of locality."""
        out: list[str] = []
        for s in self.sites:
            found = [c for c in s.site.guards if _timed(c.expr) and any(not _timed(x) for x in _atoms(c.expr))]
            if s.site.note == "learning":
                out += [f"{s.site.updated.name}[l] learns where {show_guards([c])}" for c in found]
            constants = (o.read.term for o in s.obligations if o.read.term.name in s.site.constants)
            out += [f"{show(a)} depends on the time" for a in constants if any(_timed(x) for x in a.idx)]
        return tuple(dict.fromkeys(out))

    def claim(self) -> Claim:
        """The equations as a claim, to be proved, exported and checked like any other."""
        return Claim(
            id=f"{self.name}_reads",
            theory=self.proof.kernel.theory,
            goals=tuple(s.statement for s in self.sites),
            title=f"{self.name}: what every neuron and every synapse reads",
            source="Song et al. 2020",
            script=lambda k, c: ({}, [_theorem(k, self.net, s.site) for s in self.sites]),
        )

    def sentence(self) -> str:
        """The verdict in words."""
        held = "its own layer and those next to it" if self.coarse else "its neighbourhood"
        if self.verdict == LOCAL:
            return (
                f"Local: {self.name} on {self.net.name}: every neuron and every synapse reads within {held}, "
                f"for every depth and width ({len(self.obligations)} reads)."
            )
        o, witness = self.remote()[0]
        if witness is None:
            return (
                f"Unknown: {self.name} on {self.net.name}: {o.site} reads {shown(o)}: {o.why}; no network was "
                "found in which it changes the update, so it may be apparent."
            )
        names = [show(p.read.symbol) for p, _ in self.remote()]
        others = [n for n in dict.fromkeys(names) if n != show(o.read.symbol)]
        more = f" Held elsewhere too: {', '.join(others)}." if others else ""
        return f"Not local: {self.name} on {self.net.name}: {o.site} reads {shown(o)}: {o.why}.{more}"

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "id": self.name,
            "network": self.net.name,
            "verdict": self.verdict,
            "scope": {"depth": "arbitrary", "width": "arbitrary", "batch": "arbitrary"},
            "granularity": "layers" if self.coarse else "units",
            "sentence": self.sentence(),
            "authority": {
                "equations": "kernel",
                "reads": "decided by walking the terms, with linear integer arithmetic",
                "counterexample": "exact instance" if self.verdict == NOT_LOCAL else None,
            },
            "clock": list(self.clock()),
            "digest": self.proof.digest,
            "sites": [s.as_dict() for s in self.sites],
        }

    def __str__(self) -> str:
        return self.sentence()


@dataclass(frozen=True)
class Local(Locality):
    """Every read lies in the neighbourhood."""


@dataclass(frozen=True)
class NotLocal(Locality):
    """A read outside the neighbourhood changes an update, as ``witness`` shows."""

    @property
    def offending(self) -> Obligation:
        return self.remote()[0][0]

    @property
    def why(self) -> str:
        return self.offending.why

    @property
    def witness(self) -> Witness:
        found = self.remote()[0][1]
        assert found is not None
        return found


@dataclass(frozen=True)
class Undecided(Locality):
    """A read stands outside the neighbourhood, and no network was found in which it matters."""


def _atoms(x: Idx) -> list[Idx]:
    return [Idx.of(a) for a in x.atoms()]


def _timed(x: Idx) -> bool:
    return any(isinstance(a, QVar) and a.name == "t" for a in x.atoms())


def shown(o: Obligation) -> str:
    """A read as text, functions with their arguments."""
    return show(o.read.term) if o.read.function else str(o.read)


# -- analysis ---------------------------------------------------------------------------------
def locality(what: Any, effort: int = EFFORT) -> Locality:
    """Local, NotLocal or Undecided: of a Rule, its Equations, or (a Network) of backprop on it.

    effort: how many states to look at for one in which a read outside the neighbourhood matters.
    Raises RuleError for networks that state no neighbourhood, TypeError for anything else.
    """
    if isinstance(what, Network):
        return _analyse("backprop", what, backprop_theory(what), backprop_sites(what), effort)
    e = getattr(what, "equations", what)
    if not isinstance(e, Equations):
        raise TypeError(f"a rule, its equations or a network was expected, got {type(what).__name__}")
    return _analyse(e.name, e.net, timed_theory(e), sites(e), effort)


def _analyse(name: str, net: Network, theory: Theory, places: Sequence[Site], effort: int) -> Locality:
    k = Kernel(theory)
    found: list[SiteReads] = []
    for site in places:
        th = _theorem(k, net, site)
        obligations = decide(k.theory, site, reads(k.theory, th.rhs, site.variables))
        witnesses: dict[int, Witness] = {}
        known: dict[tuple[str, str], Witness | None] = {}
        for n, o in enumerate(obligations):
            if not o.ok:
                text = (shown(o), o.why)
                if text not in known:
                    known[text] = find_witness(net, k.theory, th.rhs, obligations, o, effort)
                w = known[text]
                if w is not None:
                    witnesses[n] = w
        found.append(SiteReads(site, th, obligations, witnesses))
    proof = Proof(k, tuple(s.theorem for s in found), {})
    verdicts = {s.verdict for s in found}
    kind = NotLocal if NOT_LOCAL in verdicts else Undecided if UNKNOWN in verdicts else Local
    return kind(name, net, tuple(found), proof, Neighbourhood(net).coarse)


# -- the equations, by the kernel -----------------------------------------------------------------
def _theorem(k: Kernel, net: Network, site: Site) -> Theorem:
    """|- the new value = its normal form, in quantities that the network holds."""
    ctx = Context(site.variables, site.guards)
    if site.note == "at the start" and site.updated.name == "x":
        own = _start(k, net, ctx, site)
        if own is not None:
            return own
    case = determined(k, ctx, site.updated)
    if case is None:
        raise RuleError(f"the new value of {show(site.updated)} is not one case of its definition")
    th = k.unfold(ctx, site.updated, case)
    if site.window is None:
        passes = [frozenset({"delta"})] * 2
    else:
        passes = [frozenset(kind.change for kind in net.kinds)]
    for names in passes:
        th = _then(k, th, _unfolded(k, ctx, th.rhs, names))
    return _then(k, th, normalize(k, ctx, th.rhs))


def _then(k: Kernel, first: Theorem, second: Theorem | None) -> Theorem:
    return first if second is None else k.trans(first, second)


def _unfolded(k: Kernel, ctx: Context, t: Term, names: frozenset[str]) -> Theorem | None:
    """Unfold these symbols, each once, where the case is determined."""

    def head(c: Context, s: Term) -> Theorem | None:
        if isinstance(s, App) and s.name in names:
            case = determined(k, c, s)
            return None if case is None else k.unfold(c, s, case)
        return None

    return bottom_up(k, head, ctx, t, again=False)


def _start(k: Kernel, net: Network, ctx: Context, site: Site) -> Theorem | None:
    """|- the value at the start is the own prediction, mu at time 0; None if it is not shown."""
    l = qvar("l")
    names = {"x", "mu", *(kind.name for kind in net.kinds)}
    prediction = App("mu", site.updated.idx)
    relation: Relation = Eq(site.updated, prediction)

    def head(c: Context, s: Term) -> Theorem | None:
        if not isinstance(s, App) or not (s.name in names or s.name == "y"):
            return None
        if s.name == "y" and s.idx[0] != l and not k.entails(c, eq(s.idx[0], L)):
            return None
        case = determined(k, c, s)
        return None if case is None else k.unfold(c, s, case)

    def side(c: Context, s: Term) -> Theorem:
        th = bottom_up(k, head, c, s)
        th = k.refl(c, s) if th is None else th
        return _then(k, th, normalize(k, c, th.rhs))

    def prove(c: Context, con: object) -> Theorem:
        a, b = side(c, site.updated), side(c, prediction)
        return k.trans(_then(k, a, None if a.rhs is b.rhs else k.index(c, a.rhs, b.rhs)), k.sym(b))

    try:
        return by_cases(k, ctx, eq(l + 1, L), relation, prove)
    except KernelError:
        return None


# -- Table 2 ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """A row of Table 2 of Song et al. (2020): the printed mark of "local plasticity" and what was found.

    other: where the other columns are settled.
    """

    model: str
    printed: bool
    found: Locality
    other: str

    @property
    def agrees(self) -> bool:
        return self.found.verdict == (LOCAL if self.printed else NOT_LOCAL)


def inference_learning(net: Network) -> Rule:
    """IL: inference until time T with any step size, then every weight learns."""
    x, mu, y, l, t, last, gamma, alpha = symbols(net, "x mu y l t L gamma alpha")
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, last - 1))
    return Rule(
        net,
        name="inference_learning",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -gamma * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=at_time(t, size("T")),
    )


def table_2(net: Network) -> tuple[Row, ...]:
    """The column "local plasticity" of Table 2, on ``net``; the others are in ``pcproof.table_2``."""
    rows = (
        ("BP", False, net, "equivalence: backprop_gradient"),
        ("IL", True, inference_learning(net), "equivalence: none is claimed"),
        ("Z-IL", True, zil(net), "equivalence: zil, zil_gradient"),
        ("Fa-Z-IL", True, fazil(net), "equivalence: fazil_sufficient, and in general none: fazil_no_harm"),
    )
    return tuple(Row(model, printed, locality(what), other) for model, printed, what, other in rows)


def of_theory(names: Iterable[str]) -> Network | None:
    """The network whose backprop a theory defines; None if it defines none."""
    from .networks.chain import Chain
    from .networks.mlp import MLP

    found = set(names)
    if not {"delta", "y", "dw"} <= found:
        return None
    return Chain() if "P" in found else MLP(bias="c" in found)
