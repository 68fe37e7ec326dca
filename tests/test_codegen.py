"""Generated kernels against the reference semantics, backprop and autograd."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import pcproof.kernels.generate as generate
from pcproof.kernels.generate import Header, kernel_source, load_kernel, write_generated
from pcproof.kernels.tensors import KernelError
from pcproof.language.evaluate import Evaluator, Mod, Model
from pcproof.language.index import Idx, eq, ge, le, qvar
from pcproof.language.signature import DEFINED, PARAMETER, Case, Definition, Symbol, Theory
from pcproof.language.terms import App, mul, total
from pcproof.networks.activations import TableActivation, activation
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import B, L, width
from pcproof.rules.equations import ORDERS, Equations, moment, timed_theory
from pcproof.rules.rule import Rule
from pcproof.rules.surface import Eq, Parameters, Scalar, Sum, sq, symbols
from pcproof.rules.zil import zil

TABLE = TableActivation(3)


# -- a wavefront theory, as a proof would provide it --------------------------------------
def wavefront(net: MLP, gamma: bool = True) -> Theory:
    """front[l] = gamma f'(y[l]) sum_k w[l,k,i] front[l-1,b,k], and the changes made from it."""
    base = generate.backprop_theory(net)
    l, b, i, j = (qvar(v) for v in "lbij")
    back = total(width(l - 1), lambda k: mul(App("w", (l, k, i)), App("front", (l - 1, b, k))))
    step = mul(App("df", (l,), (App("y", (l, b, i)),)), back)
    front = Definition(
        "front",
        ("l", "b", "i"),
        (
            Case((eq(l, 0),), App("s_out", (b, i)) - App("y", (0, b, i))),
            Case((ge(l, 1), le(l + 1, L)), mul(App("gamma"), step) if gamma else step),
        ),
        (l,),
    )
    every = (ge(l, 1), le(l, L))
    sender = lambda s: App("f", (l,), (App("y", (l, s, j)),))  # noqa: E731
    dtheta = total(B, lambda s: mul(App("front", (l - 1, s, i)), sender(s)))
    groups = [(front,), (Definition("front_dtheta", ("l", "i", "j"), (Case(every, mul(App("alpha"), dtheta)),)),)]
    names = [Symbol("gamma", PARAMETER)] if gamma else []
    names += [Symbol("front", DEFINED, 3), Symbol("front_dtheta", DEFINED, 3)]
    if net.bias:
        dbeta = mul(App("alpha"), total(B, lambda s: App("front", (l - 1, s, i))))
        groups.append((Definition("front_dbeta", ("l", "i"), (Case(every, dbeta),)),))
        names.append(Symbol("front_dbeta", DEFINED, 2))
    return base.extend(tuple(names), tuple(groups))


def kernel(source: object, **options: object) -> generate.Kernel:
    return load_kernel(kernel_source(source, **options))  # type: ignore[arg-type]


# -- random networks ------------------------------------------------------------------------
class Net:
    """Sizes, weights, biases and data in one field."""

    def __init__(self, seed: int, depth: int, widest: int, batch: int, number: type = Fraction) -> None:
        r = random.Random(seed)

        def draw() -> object:
            return number(Fraction(r.randint(-6, 6), r.randint(1, 3)))

        def fill(*shape: int) -> np.ndarray:
            out = np.empty(shape, dtype=object)
            for k in np.ndindex(*shape):
                out[k] = draw()
            return out

        self.depth, self.batch = depth, batch
        self.widths = [r.randint(1, widest) for _ in range(depth + 1)]  # from input to output
        self.weights = [fill(m, n) for n, m in zip(self.widths, self.widths[1:])]
        self.biases = [fill(m) for m in self.widths[1:]]
        self.x, self.target = fill(batch, self.widths[0]), fill(batch, self.widths[-1])

    def model(self, act: object, **parameters: object) -> Model:
        d = self.depth
        return Model(
            sizes={"L": d, "B": self.batch, "n": lambda l: self.widths[d - l]},
            parameters={
                "w": lambda l, i, j: self.weights[d - l][i, j],
                "c": lambda l, i: self.biases[d - l][i],
                "s_in": lambda b, i: self.x[b, i],
                "s_out": lambda b, i: self.target[b, i],
                "alpha": lambda: Fraction(1),
                **parameters,  # type: ignore[dict-item]
            },
            functions={
                "f": lambda l, v: v if l == d else act.value(v),  # type: ignore[attr-defined]
                "df": lambda l, v: Fraction(1) if l == d else act.derivative(v),  # type: ignore[attr-defined]
            },
        )

    def run(self, k: generate.Kernel, act: object, bias: bool, **more: object) -> list[np.ndarray]:
        out = k.update(self.weights, self.x, self.target, act, self.biases if bias else None, **more)
        return [*out[0], *out[1]] if bias else out


def expected(e: Equations, net: Net, act: object, **parameters: object) -> list[np.ndarray]:
    """theta after its moment minus theta at the start, by the reference semantics."""
    run = Evaluator(timed_theory(e), net.model(act, **parameters))
    out = []
    for kind, initial in zip(e.net.kinds, (net.weights, net.biases)):
        for m, start in enumerate(initial):
            l = net.depth - m
            when = run.index(moment(e.when), {"l": l})
            late = max(when + 1, 0)
            change = np.empty(start.shape, dtype=object)
            for k in np.ndindex(*start.shape):
                change[k] = run.call(kind.name, (late, l, *k)) - run.call(kind.name, (0, l, *k))
            out.append(change)
    return out


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(p.shape == q.shape and bool((p == q).all()) for p, q in zip(a, b))


# -- against the reference semantics ----------------------------------------------------------
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("order", sorted(ORDERS))
def test_literal_equals_reference(order: str, bias: bool) -> None:
    e = replace(zil(MLP(bias), gamma=None).equations, order=order)
    k = kernel(e, form="literal")
    for seed in range(6):
        net = Net(seed, 1 + seed % 4, 3, 1 + seed % 3)
        gamma = Fraction(seed - 2, 3)
        want = expected(e, net, TABLE, gamma=lambda g=gamma: g)
        assert same(net.run(k, TABLE, bias, gamma=gamma), want), (seed, order)


@pytest.mark.parametrize("bias", [False, True])
def test_layered_forms_equal_reference(bias: bool) -> None:
    front, bp = wavefront(MLP(bias)), generate.backprop_theory(MLP(bias))
    cases = [
        (front, "wavefront", ("front_dtheta", "front_dbeta"), {"gamma": Fraction(2, 3)}),
        (bp, "backprop", ("dw", "dc"), {}),
    ]
    for theory, form, names, given in cases:
        k = kernel(theory, form=form, net=MLP(bias))
        for seed in range(8):
            net = Net(seed, 1 + seed % 5, 4, 1 + seed % 3)
            run = Evaluator(theory, net.model(TABLE, **{n: lambda v=v: v for n, v in given.items()}))
            want = []
            for name, start in zip(names[: 1 + bias], (net.weights, net.biases)):
                for m, w in enumerate(start):
                    out = np.empty(w.shape, dtype=object)
                    for at in np.ndindex(*w.shape):
                        out[at] = run.call(name, (net.depth - m, *at))
                    want.append(out)
            assert same(net.run(k, TABLE, bias, **given), want)


@pytest.mark.parametrize("number", [Fraction, Mod])
@pytest.mark.parametrize("bias", [False, True])
def test_three_forms_agree_exactly(bias: bool, number: type) -> None:
    """Theorem 3.2 of Song et al. on the generated programs: equality with ==, any f and f'."""
    net = MLP(bias)
    literal = kernel(zil(net, gamma=1).equations, form="literal")
    general = kernel(zil(net, gamma=None).equations, form="literal")
    wave = kernel(wavefront(net), form="wavefront", net=net)
    bp = kernel(net, form="backprop")
    for seed in range(12):
        data = Net(seed, 1 + seed, 5, 1 + seed % 3, number)
        want = data.run(bp, TABLE, bias)
        assert same(data.run(literal, TABLE, bias), want)
        assert same(data.run(wave, TABLE, bias, gamma=1), want)
        assert same(data.run(general, TABLE, bias, gamma=1), want)
        if bias:  # without biases: the same as biases of 0
            assert len(bp.update(data.weights, data.x, data.target, TABLE)) == data.depth


def test_gamma_law() -> None:
    """Change of theta^{l+1} is gamma^l times backprop's."""
    net = MLP()
    literal = kernel(zil(net, gamma="1/2").equations, form="literal")
    bp = kernel(net, form="backprop")
    data = Net(5, 5, 3, 2)
    for m, (a, b) in enumerate(zip(data.run(literal, TABLE, False), data.run(bp, TABLE, False))):
        assert (a == b * Fraction(1, 2) ** (data.depth - 1 - m)).all()


def test_sequential_orders_differ_from_backprop() -> None:
    net, bp = MLP(), kernel(MLP(), form="backprop")
    square = activation("square")
    for order in sorted(set(ORDERS) - {"synchronous"}):
        k = kernel(replace(zil(net).equations, order=order), form="literal")
        assert any(
            not same(data.run(k, square, False), data.run(bp, square, False))
            for data in (Net(s, 3, 3, 2) for s in range(3))
        ), order


# -- other energies --------------------------------------------------------------------------
def changed_rule(net: MLP, precision: bool, decay: bool, order: str = "synchronous", power: bool = False) -> Rule:
    x, mu, y, l, t, depth, g, alpha = symbols(net, "x mu y l t L gamma alpha")
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    pi, lam = Parameters(net, "pi"), Scalar(net, App("lam"))
    cost = sq(x[l] - mu[l]) / 2
    F = Sum(pi[l] * cost if precision else cost, (l, 0, depth - 1))
    if decay:
        F = F + lam * Sum(sq(x[l]) / 2, (l, 1, depth - 1))
    rate = g**l if power else g
    return Rule(
        net, name="changed", energy=F, start={x[l]: y[l]}, step={x[l]: -rate * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights}, when=Eq(t, l), order=order,
    )  # fmt: skip


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("precision", "decay"), [(True, False), (False, True), (True, True)])
def test_energy_reaches_the_code(precision: bool, decay: bool, bias: bool) -> None:
    """A precision on every layer, a decay of the activities: source and exact results follow."""
    for order in sorted(ORDERS):
        e = changed_rule(MLP(bias), precision, decay, order).equations
        plain = kernel_source(zil(MLP(bias), gamma=None).equations, form="literal")
        source = kernel_source(e, form="literal")
        assert ("pi[l - 1]" in source) == precision and ("lam * x_before[l]" in source) == decay
        assert "pi[" not in plain and "lam" not in re.sub("lambda", "", plain)
        k = load_kernel(source)
        for seed in (1, 4):
            net = Net(seed, 1 + seed % 4, 3, 2)
            precisions = [Fraction(k + 2, 3) for k in range(net.depth + 1)]  # from input to output
            given: dict[str, object] = {"gamma": Fraction(1, 2)}
            given.update({"pi": precisions} if precision else {}, **({"lam": Fraction(3, 5)} if decay else {}))
            want = expected(
                e, net, TABLE, gamma=lambda: Fraction(1, 2), lam=lambda: Fraction(3, 5),
                pi=lambda l, net=net, precisions=precisions: precisions[net.depth - l],
            )  # fmt: skip
            assert same(net.run(k, TABLE, bias, **given), want)


def test_power_of_a_parameter() -> None:
    e = changed_rule(MLP(), False, False, power=True).equations
    source = kernel_source(e, form="literal")
    assert "gamma ** l" in source
    net = Net(2, 4, 3, 2)
    want = expected(e, net, TABLE, gamma=lambda: Fraction(2, 3))
    assert same(net.run(load_kernel(source), TABLE, False, gamma=Fraction(2, 3)), want)


@pytest.mark.parametrize("when", ["l + 1", "L - l", "2*l", "3"])
def test_other_moments(when: str) -> None:
    """The time loop ends when the last weight has learnt."""
    base = zil(MLP(True), gamma="1/3").equations
    l = qvar("l") - 1
    time = {"l + 1": l + 1, "L - l": L - l, "2*l": 2 * l, "3": Idx(3)}[when]
    e = replace(base, when=Eq(qvar("t"), time))
    k = kernel(e, form="literal")
    for seed in range(4):
        net = Net(seed, 1 + seed, 2, 2)
        assert same(net.run(k, TABLE, True), expected(e, net, TABLE))


def test_other_start() -> None:
    """A constant start is spread over the layer."""
    from pcproof.language.terms import Num

    e = replace(zil(MLP(), gamma=1).equations, start=Num(Fraction(1, 2)))
    net = Net(3, 4, 3, 2)
    assert same(net.run(kernel(e, form="literal"), TABLE, False), expected(e, net, TABLE))


def test_reciprocal_and_mask() -> None:
    """1/x is 0 where x is 0; a mask of zeros is a number."""
    from pcproof.language.terms import Inv, IsZero

    base = zil(MLP(), gamma=1).equations
    x = App("x", (qvar("l"), qvar("b"), qvar("i")))
    (step,) = base.step
    e = replace(base, step=(Case(step.guard, step.value + Inv(x) + IsZero(App("eps", x.idx)) / 3),))
    k = kernel(e, form="literal")
    for seed in range(4):
        net = Net(seed, 4, 3, 2)
        net.x[0] = net.x[0] * 0
        assert same(net.run(k, activation("square"), False), expected(e, net, activation("square")))


def test_einsum_and_vectors() -> None:
    """A contraction of three, and sums of vectors."""
    base = generate.backprop_theory(MLP(True))
    l, i, j = qvar("l"), qvar("i"), qvar("j")
    y = lambda s, u: App("y", (l, s, u))  # noqa: E731
    three = total(B, lambda s: mul(y(s, j), App("delta", (l - 1, s, i)), App("delta", (l - 1, s, i))))
    vectors = total(B, lambda s: total(width(l), lambda u: mul(App("w", (l, i, u)), y(s, u), y(s, u))))
    every = (ge(l, 1), le(l, L))
    theory = base.extend(
        (Symbol("a", DEFINED, 3), Symbol("v", DEFINED, 2)),
        (
            (Definition("a", ("l", "i", "j"), (Case(every, three / 2 + 1),)),),
            (Definition("v", ("l", "i"), (Case(every, vectors - App("c", (l, i))),)),),
        ),
    )
    k = kernel(theory, form="backprop", net=MLP(True), outputs={"theta": "a", "beta": "v"})
    net = Net(1, 3, 3, 2)
    run = Evaluator(theory, net.model(TABLE))
    got = net.run(k, TABLE, True)
    for m in range(3):
        for at in np.ndindex(*net.weights[m].shape):
            assert got[m][at] == run.call("a", (3 - m, *at))
        for at in np.ndindex(*net.biases[m].shape):
            assert got[3 + m][at] == run.call("v", (3 - m, *at))


# -- what is refused ----------------------------------------------------------------------------
def test_refusals() -> None:
    e = zil(MLP()).equations
    with pytest.raises(KernelError, match="unknown form"):
        kernel_source(e, form="fast")
    with pytest.raises(KernelError, match="unknown backend"):
        kernel_source(e, backend="fortran", form="literal")
    with pytest.raises(KernelError, match="pass net="):
        kernel_source(wavefront(MLP()))
    with pytest.raises(KernelError, match="expected one matrix"):
        kernel_source(Chain(), form="backprop")
    with pytest.raises(KernelError, match="literal form is generated from the equations"):
        kernel_source(MLP(), form="literal")
    with pytest.raises(KernelError, match="wavefront form"):
        kernel_source(MLP(), form="wavefront")


def test_index_arithmetic_on_units_is_refused() -> None:
    base = generate.backprop_theory(MLP())
    l, i, j = qvar("l"), qvar("i"), qvar("j")
    odd = Definition("a", ("l", "i", "j"), (Case((ge(l, 1), le(l, L)), App("w", (l, i, j + 1))),))
    theory = base.extend((Symbol("a", DEFINED, 3),), ((odd,),))
    with pytest.raises(KernelError, match="computed with"):
        kernel_source(theory, form="backprop", net=MLP(), outputs={"theta": "a"})


# -- the text -----------------------------------------------------------------------------------
def test_templates_hold_no_arithmetic() -> None:
    folder = Path(generate.__file__).parent / "templates"
    files = sorted(folder.glob("*.j2"))
    assert files
    for f in files:
        text = f.read_text()
        for token in ("@", "*", "einsum", "matmul", " + ", " - "):
            assert token not in text, (f.name, token)


def test_header_and_names() -> None:
    h = Header("zil_equals_backprop", "for all l: eps = delta", "sha256:0123", "recursion")
    k = kernel(zil(MLP()).equations, form="literal", header=h)
    head = k.source.split('"""')[0]
    assert "zil_equals_backprop" in head and "sha256:0123" in head and "for all l: eps = delta" in head
    assert k.update.__name__ == "update" and h.theorem_id == k.module.THEOREM and k.module.PROVED
    bad = kernel(zil(MLP()).equations, form="literal", header=replace(h, proved=False))
    assert bad.update.__name__ == "update_unproved" and not bad.module.PROVED
    assert "NOT PROVED" in bad.source and "Theorem:" not in bad.source
    with pytest.raises(KernelError, match="header says"):
        kernel_source(MLP(), form="backprop", header=replace(h, says="truth"))


def test_equations_stand_beside_the_code() -> None:
    source = kernel_source(zil(MLP()).equations, form="literal")
    for name in ("y", "x", "mu", "eps", "theta", "dtheta"):
        assert re.search(rf"^ +# {name}\[.*:=", source, re.M), name
    assert "import pcproof" not in source and "from pcproof" not in source


def test_one_translation_between_numberings() -> None:
    source = kernel_source(MLP(), form="backprop")
    assert source.count("reversed(") == 1 and source.count("reverse=True") == 1 and "[::-1]" not in source


def test_the_wave_computes_each_activation_once() -> None:
    source = kernel_source(wavefront(MLP()), net=MLP())
    body = source[source.index("def changes") : source.index("def by_layer")]
    code = [line for line in body.splitlines() if "#" not in line]
    assert sum(" f[" in line for line in code) == 1
    assert any("df[l](y[l], f_y[l])" in line for line in code)
    assert sum("@" in line for line in code) == 4  # forward, back, change, change of layer L


def test_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "from pcproof.kernels.generate import kernel_source\n"
        "from pcproof.networks.mlp import MLP\nfrom pcproof.rules.zil import zil\nimport hashlib\n"
        "e = zil(MLP(True), gamma=None).equations\n"
        "s = [kernel_source(e, form=f, backend=b) for f in ('literal', 'backprop') for b in ('numpy', 'torch')]\n"
        "print(hashlib.sha256(''.join(s).encode()).hexdigest())\n"
    )
    root = str(Path(__file__).parents[1])
    out = set()
    for seed in ("0", "1", "77"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root}
        done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, check=True, capture_output=True)
        out.add(done.stdout)
    assert len(out) == 1


def test_write_and_check(tmp_path: Path) -> None:
    files = [("a.py", "A = 1\n"), ("b.py", "B = 2\n")]
    assert write_generated(tmp_path, files, check=True) == ["a.py", "b.py"]
    assert not list(tmp_path.iterdir())
    assert write_generated(tmp_path, files) == ["a.py", "b.py"]
    assert write_generated(tmp_path, files) == []
    (tmp_path / "b.py").write_text("B = 3\n")
    assert write_generated(tmp_path, files, check=True) == ["b.py"]
    assert (tmp_path / "b.py").read_text() == "B = 3\n"
    with pytest.raises(ValueError, match="without a folder"):
        write_generated(tmp_path, [("../c.py", "")])


def test_loops_stay_apart_where_one_reads_ahead() -> None:
    """A change that reads the error of its own later layers is not made in the loop that computes it."""
    base = generate.backprop_theory(MLP())
    l, i, j = qvar("l"), qvar("i"), qvar("j")
    ahead = total(B, lambda s: mul(App("delta", (l, s, j)), App("y", (l, s, j)), App("delta", (l - 1, s, i))))
    last = total(B, lambda s: mul(App("delta", (l - 1, s, i)), App("y", (l, s, j))))
    same_layer = (Case((ge(l, 1), le(l + 1, L)), ahead), Case((eq(l, L),), last))
    after = total(B, lambda s: total(width(l + 1), lambda u: App("delta", (l + 1, s, u))))
    later = (
        Case((ge(l, 1), le(l + 2, L)), mul(App("w", (l, i, j)), after)),
        Case((eq(l, L - 1), ge(l, 1)), last),  # not there at depth 1
        Case((eq(l, L),), last),
    )
    for cases, joined in ((same_layer, True), (later, False)):
        definition = Definition("late", ("l", "i", "j"), cases)
        theory = base.extend((Symbol("late", DEFINED, 3),), ((definition,),))
        source = kernel_source(theory, form="backprop", net=MLP(), outputs={"theta": "late"})
        code = source[source.index("def changes") : source.index("# Layers of the theory")]
        assert len(re.findall(r"delta\[l\] = .*\n        late\[l\] = ", code)) == joined
        assert ("if L >= 2:" in code) != joined
        for seed in range(4):
            net = Net(seed, 1 + seed, 3, 2)
            run = Evaluator(theory, net.model(TABLE))
            got = net.run(load_kernel(source), TABLE, False)
            for m, a in enumerate(got):
                for at in np.ndindex(*a.shape):
                    assert a[at] == run.call("late", (net.depth - m, *at))


def test_committed_kernels_are_current() -> None:
    """``generated/`` is what the theorems give; after a change run ``pcproof generate``."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "pcproof", "generate", "--check", "--out", str(root / "generated")]
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_committed_kernels_run() -> None:
    """Every committed NumPy kernel equals backprop exactly, in standalone form."""
    folder = Path(__file__).parents[1] / "generated"
    files = sorted(folder.glob("*_numpy.py"))
    assert files
    for path in files:
        bias = "_bias_" in path.name
        k = load_kernel(path.read_text())
        bp = kernel(MLP(bias), form="backprop")
        data = Net(9, 4, 3, 2)
        more = {"gamma": Fraction(-2, 3)} if "gamma" in k.update.__code__.co_varnames else {}
        assert k.module.PROVED and k.module.THEOREM and k.module.DIGEST
        assert same(data.run(k, TABLE, bias, **more), data.run(bp, TABLE, bias)), path.name


@pytest.mark.parametrize("text", ["a\nimport os", "a\rimport os", "a\u2028import os", "a\0b"])
def test_a_header_is_text_in_one_line(text: str) -> None:
    """What stands in a comment of a generated file must not be able to leave it."""
    for field in ("theorem_id", "digest"):
        with pytest.raises(KernelError, match="plain text in one line"):
            Header(**{field: text})
    assert Header(statement="one line\nand another").statement
