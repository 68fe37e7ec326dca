"""Whole kernel files from equations and theories.

=====================  ========================================================
``kernel_source``      a standalone file for one rule, form and backend
``load_kernel``        a file's function, ready to call
``write_generated``    files onto disk, or compared with what is there
``Header``             the theorem that a kernel rests on
=====================  ========================================================

Forms: ``literal`` (every neuron steps at every time, as the rule is written),
``wavefront`` (the layer that a proof leaves active), ``backprop``.  Expressions
come from the printers, layout from ``templates/``; the text depends on the
equations only.
"""

from __future__ import annotations

import hashlib
import json
import linecache
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, Union

import jinja2

from ..files import write_text
from ..language.index import Idx, QVar, Size
from ..language.signature import FUNCTION, PARAMETER, Symbol, Theory
from ..networks.activations import ACTIVATIONS, activation
from ..networks.backprop import DATA, backprop_definitions, initial_symbols
from ..networks.network import Network, WeightKind
from ..rules.equations import Equations
from .activation_table import NumPyWriter, TorchWriter, Writer, table
from .layered import layered_program
from .literal import last_moment, literal_program
from .numpy_printer import NumPyPrinter
from .printing import Printer
from .program import Assign, Branch, Loop, Program, emit, statements
from .tensors import Apply, Array, Extent, Indicator, KernelError, Lowering, Power, Tensor, walk
from .torch_printer import TorchPrinter

FORMS = ("literal", "wavefront", "backprop")
BACKENDS: dict[str, tuple[type[Printer], type[Writer], str]] = {
    "numpy": (NumPyPrinter, NumPyWriter, "numpy as np"),
    "torch": (TorchPrinter, TorchWriter, "torch"),
}
TAKEN = frozenset(
    (
        "np", "torch", "math", "Fraction", "L", "B", "n", "l", "t", "int", "max", "range", "dict", "layer", "a",
        "weights", "target", "biases", "activation", "input_activation", "ratio", "reciprocal", "is_zero",
        "as_number", "as_integer", "layer_parameter", "time_parameter", "by_layer", "from_input", "changes", "len",
    )
)  # fmt: skip
Source = Union[Equations, Theory, Network]


@dataclass(frozen=True)
class Header:
    """What stands behind a kernel.

    theorem_id, statement, digest: of the theorem; statement is what was proved, as text.
    says: "recursion" (equal to the backprop recursion, any f'), "gradient" (f' is the
        derivative of f) or "" where neither applies.
    proved: False marks a kernel of a rule that is not proved, in the file and in its function's name.
    """

    theorem_id: str = ""
    statement: str = ""
    digest: str = ""
    says: str = "recursion"
    proved: bool = True

    def __post_init__(self) -> None:
        for what, text in (("id", self.theorem_id), ("statement", self.statement), ("digest", self.digest)):
            lines = text.split("\n") if what == "statement" else [text]
            if not all(line.isprintable() for line in lines):
                raise KernelError(f"the {what} of a theorem behind a kernel is plain text in one line, got {text!r}")


UNPROVED = Header(proved=False)
SAYS = {
    "recursion": "the update equals that of the backprop recursion, for any f and any f'",
    "gradient": "the update is minus the gradient of the loss, where f' is the derivative of f",
}
TITLES = {
    "literal": "as it is simulated: every neuron steps at every time",
    "wavefront": "as a wave: the error of one layer at a time, carried directly",
    "backprop": "backprop: forward pass, errors, changes",
}


@dataclass(frozen=True, repr=False)
class Kernel:
    """A generated kernel, called like its function ``update``, whatever that is called in the file.

    source: the standalone file.  module: its names.
    """

    update: Callable[..., Any]
    source: str
    module: ModuleType

    def __call__(self, weights: Any, x: Any, target: Any, activation: Any, *args: Any, **options: Any) -> Any:
        """``update``; functions such as ``torch.tanh`` and layers such as ``nn.ReLU()`` are understood too."""
        if isinstance(activation, (list, tuple)):
            chosen: Any = [self._known(a) for a in activation]
        else:
            chosen = self._known(activation)
        return self.update(weights, x, target, chosen, *args, **options)

    def _known(self, thing: Any) -> Any:
        """The file's own activation where it has one of that name, else one of ``networks.activations``."""
        if isinstance(thing, str) and thing.strip().lower() in self.module.ACTIVATIONS:
            return thing
        found = activation(thing)
        return found.name if found is ACTIVATIONS.get(found.name) and found.name in self.module.ACTIVATIONS else found

    def __repr__(self) -> str:
        title = (self.module.__doc__ or "").splitlines()[0]
        return f"<kernel {self.update.__name__}: {title}>"


def backprop_theory(net: Network) -> Theory:
    """Forward pass, errors and changes of backprop on ``net``, alone.  Source: eqs 1 to 4."""
    symbols, groups = backprop_definitions(net)
    base = (*DATA, *initial_symbols(net), *net.functions, *symbols)
    return Theory(net.sizes, net.assumptions, {s.name: s for s in base}, groups)


def kernel_source(
    source: Source,
    *,
    form: str = "wavefront",
    backend: str = "numpy",
    header: Header = UNPROVED,
    net: Network | None = None,
    outputs: Mapping[str, str] | None = None,
    name: str = "",
) -> str:
    """The text of a standalone file with ``update(weights, x, target, activation, biases=None, ...)``.

    source: ``Equations`` for "literal"; a ``Theory`` with the definitions of the
        changes for "wavefront" (``front_dtheta``, ...) and "backprop" (``dw``, ...);
        a ``Network`` or ``Equations`` will do for "backprop".
    net: the network, where the source does not tell.
    outputs: kind of weight -> definition of its change, where it has another name.
    name: of the rule, for the file's title.

    Raises KernelError with one sentence on equations that have no array form.
    """
    if form not in FORMS:
        raise KernelError(f"unknown form {form!r}; expected one of {', '.join(FORMS)}")
    if backend not in BACKENDS:
        raise KernelError(f"unknown backend {backend!r}; expected one of {', '.join(BACKENDS)}")
    network = source if isinstance(source, Network) else source.net if isinstance(source, Equations) else net
    if network is None:
        raise KernelError("the network of the theory is not known; pass net=")
    rule = name or (source.name if isinstance(source, Equations) and form != "backprop" else "")
    matrix, vector = _kinds(network)
    times = None
    numbers = {"alpha": Fraction(1)}
    if form == "literal":
        if not isinstance(source, Equations):
            raise KernelError("the literal form is generated from the equations of a rule")
        theory, program = literal_program(source, numbers)
        times = last_moment(source) + 1
    else:
        theory = source if isinstance(source, Theory) else backprop_theory(network)
        if form == "wavefront" and not isinstance(source, Theory):
            raise KernelError("the wavefront form is generated from a theory with the recursion of the wave")
        prefix = "front_" if form == "wavefront" else ""
        found = {k.name: prefix + (k.change if prefix else k.initial_change) for k in network.kinds}
        found.update(outputs or {})
        program = layered_program(theory, found, Lowering(theory, numbers))
    return _File(theory, program, matrix, vector, times, form, backend, header, rule).text()


def _kinds(net: Network) -> tuple[WeightKind, WeightKind | None]:
    """The matrix of a layer, and its bias if it has one."""
    matrices = [k for k in net.kinds if len(k.units) == 2]
    vectors = [k for k in net.kinds if len(k.units) == 1]
    if len(matrices) != 1 or len(vectors) > 1 or len(matrices) + len(vectors) != len(net.kinds):
        raise KernelError(f"no kernel for {net.name}; expected one matrix, and at most one bias, a layer")
    return matrices[0], vectors[0] if vectors else None


class _File:
    """One file: what the template shows."""

    def __init__(
        self, theory: Theory, program: Program, matrix: WeightKind, vector: WeightKind | None,
        times: Idx | None, form: str, backend: str, header: Header, rule: str,
    ) -> None:  # fmt: skip
        printer, writer, self.imported = BACKENDS[backend]
        self.theory, self.program, self.matrix, self.vector = theory, program, matrix, vector
        self.times, self.form, self.backend, self.header, self.rule = times, form, backend, header, rule
        self.printer, self.writer = printer(TAKEN), writer()
        self.tensors = list(_tensors(program))

    # -- what the program reads -----------------------------------------------------
    def parameters(self) -> list[tuple[Symbol, str]]:
        """Parameters of the rule with their kind: "number", "layer" or "time"."""
        own = {"s_in", "s_out", "alpha", self.matrix.initial} | ({self.vector.initial} if self.vector else set())
        reads: dict[str, set[str]] = {}
        for t in self.tensors:
            if isinstance(t, Array) and t.name not in own:
                symbol = self.theory.symbols.get(t.name)
                if symbol is not None and symbol.kind == PARAMETER:
                    if len(t.address) > 1 or t.order:
                        count = len(t.address) + len(t.order)
                        raise KernelError(f"no kernel for the parameter {t.name!r} with {count} indices")
                    names = {a.name for i in t.address for a in i.atoms() if isinstance(a, QVar)}
                    reads.setdefault(t.name, set()).update(names if t.address else {"?"})
        out = []
        for name, names in sorted(reads.items()):
            if {"l", "t"} <= names:
                raise KernelError(f"the parameter {name!r} is read both by layer and by time")
            kind = "number" if names == {"?"} else "time" if "t" in names else "layer"
            out.append((self.theory.symbols[name], kind))
        return out

    def integers(self) -> list[str]:
        """Further sizes without arguments, such as ``t_c``."""
        found = set() if self.times is None else set(_sizes(self.times))
        for s in statements(self.program.body):
            indices = [s.first, s.last] if isinstance(s, Loop) else []
            if isinstance(s, Branch):
                indices += [c.expr for guard, _ in s.cases for c in guard]
            for i in indices:
                found |= set(_sizes(i))
        for t in self.tensors:
            found |= {n for i in _indices(t) for n in _sizes(i)}
        return sorted(found - {"L", "B"})

    # -- the text ---------------------------------------------------------------------
    def text(self) -> str:
        p = self.printer
        body = emit(self.program.body, p)
        code = "\n".join(line for line in body if not line.lstrip().startswith("#"))
        uses: dict[str, bool] = {
            "batch": bool(re.search(r"\bB\b", code)),
            "widths": bool(re.search(r"\bn\[", code)),
            "reciprocal": "reciprocal" in p.helpers,
            "is_zero": "is_zero" in p.helpers,
        }
        parameters, keywords, names = [], [], []
        for symbol, kind in self.parameters():
            n = p.name(symbol.name)
            names.append(n)
            reading = {
                "number": f'as_number("{n}", {n}, x)',
                "layer": f'layer_parameter("{n}", {n}, x, L)',
                "time": f'time_parameter("{n}", {n}, x, {p.index(self.times) if self.times else 0})',
            }[kind]
            keywords.append((n, symbol.meaning or "parameter of the rule", kind))
            parameters.append({"name": n, "reading": reading, "kind": kind})
        whole = self.integers()
        first = [{"name": n, "reading": f'as_integer("{n}", {n})', "kind": "integer"} for n in whole]
        parameters = first + parameters
        kinds = {k["kind"] for k in parameters}
        uses.update(
            numbers=bool(kinds & {"number", "layer", "time"}), layer_parameters="layer" in kinds,
            time_parameters="time" in kinds, integers="integer" in kinds,
        )  # fmt: skip
        symbols = [s for s in self.theory.symbols.values() if s.kind == FUNCTION and s.derivatives]
        if len(symbols) != 1:
            raise KernelError("expected one activation symbol with one derivative")
        pair = [p.name(symbols[0].name), p.name(symbols[0].derivatives[0])]
        weights = [p.name(k.initial) for k in (self.matrix, self.vector) if k is not None]
        passed = whole + names + (["B"] if uses["batch"] else []) + (["n"] if uses["widths"] else [])
        signature = ["weights", "x", "target", "activation", "biases=None"]
        signature += ["*", *whole, *names, 'input_activation="identity"']
        entries = table(self.writer)
        activations = [
            {
                "name": e.name, "aliases": e.aliases, "exact": e.exact, "value": e.value, "derivative": e.derivative,
                "reads_value": any(re.search(r"\bfv\b", line) for line in e.derivative),
            }
            for e in entries
        ]  # fmt: skip
        uses["erfc"] = any("erfc(" in line for e in entries for line in (*e.value, *e.derivative))
        results = [p.name(self.program.results[k.name]) for k in (self.matrix, self.vector) if k is not None]
        context: dict[str, Any] = {
            "banner": self.banner(), "title": self.title(), "summary": self.summary(), "library": self.imported,
            "backend": self.backend, "function": self.function(), "signature": ", ".join(signature),
            "purpose": "The change of every weight in one step, for learning rate 1.",
            "contract": self.contract(keywords, whole), "theorem": _quoted(self.header.theorem_id),
            "digest": _quoted(self.header.digest), "proved": repr(self.header.proved),
            "functions": ", ".join(pair), "parameters": parameters, "uses": uses,
            "imports": {
                "math": self.backend == "numpy" and uses["erfc"],
                "fractions": self.backend == "numpy",
            },
            "matrix": {"weight": weights[0], "result": results[0]},
            "vector": {"weight": weights[1], "result": results[1]} if self.vector else None,
            "results": ", ".join(results), "call": ", ".join(["L", *weights, "x", "target", *pair, *passed]),
            "arguments": ", ".join(["L", *weights, "s_in", "s_out", *pair, *passed]), "body": body,
            "activations": activations, "count_of_layers": "L + 1", "count_of_hidden": "L - 1",
        }  # fmt: skip
        return _environment().get_template("kernel.py.j2").render(context)

    def function(self) -> str:
        return "update" if self.header.proved else "update_unproved"

    def title(self) -> str:
        if not self.rule.isprintable() or set(self.rule) & set('"\\'):
            raise KernelError(f"a rule is called by plain words such as zil, got {self.rule!r}")
        rule = f"{self.rule}, " if self.rule and self.form != "backprop" else ""
        mark = "" if self.header.proved else "NOT PROVED: "
        return f"{mark}{rule}{TITLES[self.form]} ({self.backend})."

    def banner(self) -> list[str]:
        h = self.header
        rows = ["Generated by pcproof from equations; changes made by hand are lost."]
        if h.proved:
            if h.says and h.says not in SAYS:
                raise KernelError(f"a header says {' or '.join(map(repr, SAYS))}, got {h.says!r}")
            rows += [f"Theorem:   {h.theorem_id}", f"Digest:    {h.digest}"]
            rows += [f"It says:   {SAYS[h.says]}."] if h.says else []
        else:
            claim = f" ({h.theorem_id})" if h.theorem_id else ""
            rows += [f"Not proved: nothing says that this equals backprop{claim}."]
        if h.statement:
            rows.append("Statement:")
            for line in h.statement.splitlines():
                rows += textwrap.wrap(
                    line, 104, initial_indent="    ", subsequent_indent="        ", break_long_words=False
                )
        return rows

    def summary(self) -> list[str]:
        w = self.matrix.initial
        rows = [
            "Layers of the equations count from the output (0) to the input (L); the weights of layer l",
            f"lead from layer l to layer l-1, so weights[0] is {w}[L] and weights[-1] is {w}[1].",
        ]
        if self.backend == "numpy":
            rows.append("Runs on floats, and exactly on object arrays of fractions or of integers modulo a prime.")
        return rows

    def contract(self, keywords: list[tuple[str, str, str]], whole: list[str]) -> list[str]:
        array = "arrays" if self.backend == "numpy" else "tensors"
        rows = [
            f"weights: list of {array} (n_out, n_in), from input to output.",
            "x: (batch, n_in); target: (batch, n_out).  The change is summed over the batch.",
            "activation: of the hidden layers, a name or an object with value and derivative, or a",
            "    list with one for each hidden layer, from input to output; the output layer has none.",
        ]
        if self.vector:
            rows.append("biases: list of (n_out,), from input to output, or None for a network without.")
        else:
            rows.append("biases: None.")
        lists = "; one number, or a list of one for each"
        more = {"number": "", "layer": f"{lists} layer, from input to output", "time": f"{lists} time"}
        rows += [f"{n}: an integer of the rule." for n in whole]
        rows += [f"{n}: {meaning}{more[kind]}." for n, meaning, kind in keywords]
        rows += [
            "input_activation: of the input layer (Song et al. apply f there too).",
            "",
            "Returns a list shaped like weights" + (", with biases a pair of lists." if self.vector else "."),
            "Raises ValueError in one sentence on shapes that do not fit.  The arguments are not changed.",
        ]
        return rows


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


def _tensors(program: Program) -> Iterable[Tensor]:
    for s in statements(program.body):
        if isinstance(s, Assign):
            yield from walk(s.value)


def _indices(t: Tensor) -> tuple[Idx, ...]:
    if isinstance(t, (Array, Apply)):
        return t.address
    if isinstance(t, Power):
        return (t.exponent,)
    if isinstance(t, Indicator):
        return tuple(c.expr for c in t.cons)
    return (t.size,) if isinstance(t, Extent) else ()


def _sizes(i: Idx) -> set[str]:
    return {a.name for a in i.atoms() if isinstance(a, Size) and not a.args}


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        autoescape=False,
    )  # fmt: skip


# -- using files --------------------------------------------------------------------------
def load_kernel(source: str, name: str = "pcproof_kernel") -> Kernel:
    """The function of a generated file.  The text is run, so it must be our own."""
    filename = f"<{name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    module = ModuleType(name)
    module.__file__ = filename
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), module.__dict__)
    return Kernel(getattr(module, module.__all__[0]), source, module)


def write_generated(out_dir: Path | str, files: Iterable[tuple[str, str]], check: bool = False) -> list[str]:
    """Write (file name, source) pairs; the names of files that are new or differ come back.

    With ``check`` nothing is written: what comes back has drifted, or is missing.
    """
    folder = Path(out_dir)
    changed = []
    for name, source in files:
        if Path(name).name != name:
            raise ValueError(f"a file name without a folder was expected, got {name!r}")
        path = folder / name
        if path.is_file() and path.read_bytes() == source.encode("utf-8"):
            continue
        changed.append(name)
        if not check:
            write_text(path, source)
    return changed
