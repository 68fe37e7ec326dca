"""What a synapse reads when it learns: the verdict for every depth and width, and a drawing of one small network.

The verdict is that of ``pcproof.locality``.  For the drawing the change of
theta[l,i,j] is unfolded in a concrete network down to what it holds:
activities and errors of its units for predictive coding, activities and
weights for backprop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from ..language.evaluate import Evaluator, Model
from ..language.index import Idx, QVar
from ..language.signature import Theory
from ..language.terms import App, Sum, Term, children, open_lam
from ..locality import LOCAL, Locality, locality
from ..networks.gradients import backprop_theory
from ..rules.equations import Equations, static_theory
from .svg import number

DEPTH, WIDTH = 4, 3
SYNAPSE = (3, 1, 1)  # layer l, unit i of layer l-1, unit j of layer l
Read = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Reads:
    """What the change of one synapse reads in the drawn network, and what was decided for all networks.

    remote: what stands at another unit.  verdict: about every neuron and synapse.
    """

    title: str
    local: tuple[Read, ...]
    remote: tuple[Read, ...]
    verdict: Locality

    @property
    def ok(self) -> bool:
        return self.verdict.verdict == LOCAL and not self.remote


def concrete_reads(theory: Theory, name: str, at: tuple[int, ...], through: Iterable[str]) -> set[Read]:
    """Symbols with concrete indices that ``name`` at ``at`` depends on; definitions in ``through`` are unfolded."""
    sizes = {"L": DEPTH, "B": 1, "n": lambda _: WIDTH, "m": lambda _: WIDTH}
    run = Evaluator(theory, Model(sizes))
    unfolded, found = set(through), set()
    done: set[Read] = set()

    def definition(name: str, idx: tuple[int, ...]) -> None:
        if (name, idx) in done:
            return
        done.add((name, idx))
        d = theory.definition(name)
        assert d is not None
        env = dict(zip(d.params, idx))
        for case in d.cases:
            if all(run.holds(c, env) for c in case.guard):
                walk(case.value, env)
                return

    def walk(t: Term, env: dict[str, int]) -> None:
        if isinstance(t, Sum):
            name = f"#{len(env)}"
            body = open_lam(1, t.body, (Idx.of(QVar(name)),))
            for k in range(run.index(t.bound, env)):
                walk(body, {**env, name: k})
            return
        if isinstance(t, App):
            idx = tuple(run.index(i, env) for i in t.idx)
            if t.name in unfolded:
                definition(t.name, idx)
            elif idx and not t.args:
                found.add((t.name, idx))
            for a in t.args:
                names = [f"#{len(env)}.{k}" for k in range(a.arity)]
                opened = open_lam(a.arity, a.body, tuple(Idx.of(QVar(n)) for n in names))
                for k in range(WIDTH if a.arity else 1):
                    walk(opened, {**env, **dict.fromkeys(names, k)})
            return
        for _, c in children(t):
            walk(c, env)

    definition(name, at)
    return found


def reads_of(e: Equations) -> tuple[Reads, Reads]:
    """The rule's synapse and backprop's."""
    matrix = next(k for k in e.net.kinds if len(k.units) == 2)
    rule = concrete_reads(static_theory(e), matrix.change, SYNAPSE, ())
    backprop = concrete_reads(backprop_theory(e.net), matrix.initial_change, SYNAPSE, ("delta",))
    return _sorted(e.name, rule, locality(e)), _sorted("backprop", backprop, locality(e.net))


def _is_local(r: Read) -> bool:
    name, idx = r
    layer, i, j = SYNAPSE
    if len(idx) == 3 and name not in ("w", "theta"):
        return (idx[0], idx[2]) in ((layer, j), (layer - 1, i))
    return idx == SYNAPSE


def _sorted(title: str, reads: set[Read], verdict: Locality) -> Reads:
    local = tuple(sorted(r for r in reads if _is_local(r)))
    return Reads(title, local, tuple(sorted(reads - set(local))), verdict)


# -- drawing ------------------------------------------------------------------------------
COLUMN, ROW, MARGIN = 120, 62, 42


def _place(layer: int, unit: int) -> tuple[float, float]:
    """Input at the left, output at the right."""
    return MARGIN + (DEPTH - layer) * COLUMN, MARGIN + unit * ROW


def picture(r: Reads, weights: tuple[str, ...] = ("w", "theta")) -> str:
    """One network; the synapse in bold, local reads in blue, remote reads in red."""
    width, height = 2 * MARGIN + DEPTH * COLUMN, MARGIN + (WIDTH - 1) * ROW + 74
    label = f"What one synapse reads when it learns by {r.title}"
    out = [f'<svg class="net" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">']
    out.append(f"<title>{escape(label)}</title>")
    far_edges = {idx for name, idx in r.remote if name in weights}
    far_nodes = {(idx[0], idx[2]) for name, idx in r.remote if name not in weights and len(idx) == 3}
    far_nodes |= {(0, idx[1]) for name, idx in r.remote if name == "s_out"}
    near = {(idx[0], idx[2]): name for name, idx in r.local if len(idx) == 3}
    for layer in range(DEPTH, 0, -1):
        for j in range(WIDTH):
            for i in range(WIDTH):
                (x1, y1), (x2, y2) = _place(layer, j), _place(layer - 1, i)
                kind = "own" if (layer, i, j) == SYNAPSE else "far" if (layer, i, j) in far_edges else ""
                out.append(
                    f'<line class="edge {kind}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'
                )
    for layer in range(DEPTH, -1, -1):
        for unit in range(WIDTH):
            x, y = _place(layer, unit)
            kind = "near" if (layer, unit) in near else "far" if (layer, unit) in far_nodes else ""
            out.append(f'<circle class="node {kind}" cx="{number(x)}" cy="{number(y)}" r="13"/>')
            text = {"x": "x", "eps": "ε", "y": "y"}.get(near.get((layer, unit), ""), "")
            if text:
                out.append(
                    f'<text class="inside" x="{number(x)}" y="{number(y)}" dy="0.34em" text-anchor="middle">{text}</text>'
                )
        x, y = _place(layer, WIDTH - 1)
        name = "input" if layer == DEPTH else "output" if layer == 0 else f"layer {layer}"
        out.append(f'<text class="tick" x="{number(x)}" y="{number(y + 40)}" text-anchor="middle">{name}</text>')
    out.append("</svg>")
    return "".join(out)


def sentence(r: Reads) -> str:
    """The verdict for every depth and width, and what is drawn."""
    drawn = len(r.remote)
    elsewhere = f"{drawn} quantities" if drawn > 1 else "one quantity"
    where = f"it reads {elsewhere} held elsewhere" if drawn else "all that it reads is at the two units that it joins"
    return f"{r.verdict.sentence()} In the network drawn: {where}."
