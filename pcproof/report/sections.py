"""The sections of the report, in the order in which they are worked out.

Each takes the ``Work`` so far, adds what its part of the page shows, and
appends its checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import api, catalogue
from ..derive import derive
from ..exporters.coq import export
from ..proof.acceptance import ACCEPTED, NOT_RUN
from ..result import Proved, Result, scope
from ..rules import claims
from ..rules.zil import zil
from . import audit, conditions, figures, kernel_view, locality, precision, statement, tex, trust, wave
from .calculation import calculation
from .formula import Line

if TYPE_CHECKING:
    from .build import Work

MAIN, GRADIENT = "zil", "zil_gradient"
SAYS = {
    "recursion": "for any pair f, f' the update is that of the backprop recursion",
    "gradient": "f' is the derivative of f at the visited points",
    "": "",
}


# -- 1: verdicts --------------------------------------------------------------------------
def prove_all(work: Work) -> None:
    """Every result of the catalogue, live."""
    entries = catalogue.entries()
    results: dict[str, Result] = {}
    for n, entry in enumerate(entries.values()):
        work.progress(f"proving {entry.id}", n, len(entries))
        result = api.confirm(api.prove(entry.claim()))
        results[entry.id] = result
        ok = result.verdict == entry.expected
        work.check(f"{entry.id} is {entry.expected}", ok, "" if ok else str(result))
    work.progress(f"asking independent checkers about {MAIN}", 0, 1)
    main = results[MAIN] = api.confirm(results[MAIN], ("smt", "coq"))
    if not isinstance(main, Proved) or main.proof is None:
        raise ReportError(f"{MAIN} is {main.verdict}; the page about it cannot be written. {main}")
    work.page["entries"] = [
        {"entry": e, "result": results[e.id], "steps": _steps(results[e.id]), "says": SAYS[results[e.id].claim.says],
         "as_expected": results[e.id].verdict == e.expected, "accepted": _accepted(results[e.id])}
        for e in entries.values()
    ]  # fmt: skip
    work.page["main"] = main
    work.page["gradient"] = results.get(GRADIENT)
    for a in main.checkers:
        said = {ACCEPTED: True, NOT_RUN: None}.get(a.verdict, False)
        work.check(f"{a.checker} accepts the certificate of {MAIN}", said, a.detail)
    work.page["badges"] = trust.badges(main.checkers)
    work.page["scope"] = scope(main.claim)
    work.page["steps"] = _steps(main)
    work.page["digest"] = main.digest


class ReportError(ValueError):
    """The report cannot be written; the message says why."""


def _accepted(r: Result) -> str:
    """Who accepted the certificate."""
    return ", ".join(a.checker for a in r.checkers if a.verdict == ACCEPTED) if isinstance(r, Proved) else ""


def _steps(r: Result) -> int:
    return len(r.proof.items()) if isinstance(r, Proved) and r.proof is not None else 0


def _main(work: Work) -> Proved:
    main = work.page["main"]
    assert isinstance(main, Proved)
    return main


# -- 2: wave ------------------------------------------------------------------------------
def wave_picture(work: Work) -> None:
    w = wave.simulate(_main(work).claim.equations)
    work.check("the simulated wave is exactly 0 ahead of the front", w.zero)
    work.check(
        "at the front the simulated errors are backprop's", w.front_error < 1e-12, f"largest gap {w.front_error:.1e}"
    )
    work.page["wave"] = {"svg": wave.picture(w), "wave": w}


# -- 3 to 6: statement, symbols, derivation, proof ----------------------------------------
def words(work: Work) -> None:
    main = _main(work)
    gradient = work.page["gradient"]
    holds = gradient is not None and gradient.verdict == "proved"
    work.page["statement"] = {
        "goals": statement.goals(main.claim),
        "recursion": statement.pytorch_statement("recursion", False),
        "gradient": statement.pytorch_statement("gradient", True) if holds else "",
        "layers": statement.layer_table(),
        "gradient_hypotheses": trust.hypotheses(gradient.claim) if holds else [],
    }
    rows = statement.symbol_rows(main.claim)
    work.page["symbols"] = rows
    work.page["derivation"] = derive(zil(main.claim.equations.net, gamma=None))


def lemma_groups(lines: list[Line]) -> list[dict[str, Any]]:
    """Lines of a calculation, gathered under their lemmas."""
    out: list[dict[str, Any]] = []
    note = ""
    for line in lines:
        if line.kind == "text":
            note = line.left.text
        elif line.kind == "heading":
            out.append({"title": line.left.text, "items": line.items, "note": note, "lines": [], "statement": None})
            note = ""
        elif line.kind == "statement":
            out[-1]["statement"] = line
        elif line.kind != "qed":
            out[-1]["lines"].append(line)
    return out


def proof(work: Work) -> None:
    main = _main(work)
    lines = calculation(_proof_of(main))
    groups = lemma_groups(lines)
    shown = sum(g["items"] for g in groups)
    work.check("the calculation accounts for every kernel step", shown == work.page["steps"], f"{shown} steps")
    work.page["proof"] = groups
    others = []
    for row in work.page["entries"]:
        result = row["result"]
        if row["entry"].id != MAIN and isinstance(result, Proved) and result.proof is not None:
            others.append(
                {"entry": row["entry"], "groups": lemma_groups(calculation(result.proof)), "steps": row["steps"]}
            )
    work.page["other_proofs"] = others


def _proof_of(r: Proved) -> Any:
    assert r.proof is not None
    return r.proof


# -- 7 and 8: conditions, mutations -------------------------------------------------------
def mutations(work: Work) -> None:
    from ..language.terms import ONE
    from ..refute.mutate import mutants
    from ..refute.table import REFUTED, STILL_TRUE, UNKNOWN, mutation_table
    from ..tactics.goals import Stuck
    from ..tactics.prover import prove_claim

    main = _main(work)
    e = main.claim.equations

    def prove(claim: Any) -> bool:
        try:
            prove_claim(claim)
        except Stuck:
            return False
        return True

    others = {"zil_dynamics": lambda q: claims.dynamics(q, ONE)}
    rows = []
    chosen = mutants(e)
    for n, m in enumerate(chosen):
        work.progress(f"mutant {n + 1} of {len(chosen)}", n, len(chosen))
        rows += mutation_table(claims.equals_backprop, e, prove, others, chosen=[m])
    unknown = [r.name for r in rows if r.verdict == UNKNOWN]
    work.check("every mutant is refuted or proved still true", not unknown, ", ".join(unknown))
    lonely = [r.name for r in rows if r.verdict == STILL_TRUE and r.breaks is None]
    work.check("every surviving mutant breaks another theorem", not lonely, ", ".join(lonely))
    work.page["mutations"] = rows
    work.page["refuted"] = sum(r.verdict == REFUTED for r in rows)
    found = conditions.conditions(e, _proof_of(main), rows)
    for c in found:
        work.check(f"{c.name} is used in the proof and cannot be dropped", c.ok and c.steps > 0)
    work.page["conditions"] = found


# -- 9: locality --------------------------------------------------------------------------
def local_reads(work: Work) -> None:
    rule, backprop = locality.reads_of(_main(work).claim.equations)
    work.check("the rule reads only at the two ends of a synapse", rule.ok, locality.sentence(rule))
    work.check("backprop's update reads elsewhere", not backprop.ok, locality.sentence(backprop))
    work.page["locality"] = [
        {"reads": r, "svg": locality.picture(r), "sentence": locality.sentence(r)} for r in (rule, backprop)
    ]


# -- 10: kernels --------------------------------------------------------------------------
def kernels(work: Work) -> None:
    main = _main(work)
    shown = []
    for backend, form in (("numpy", "wavefront"), ("numpy", "literal"), ("torch", "wavefront")):
        try:
            kernel = main.kernel(backend, form)
        except ImportError:
            work.check(
                f"the {backend} kernel, {form} form, loads",
                None,
                f"{backend} is not installed: not checked on this machine",
            )
            continue
        lines = kernel_view.equation_lines(kernel)
        shown.append({"backend": backend, "form": form, "lines": lines, "source": kernel.source})
        ok = main.digest in kernel.source and main.claim.id in kernel.source
        work.check(f"the {backend} kernel, {form} form, names its theorem and digest", ok)
    work.page["kernels"] = shown
    work.page["front"] = statement.front_rows(main.claim.equations, [s.name for s in work.page["symbols"]])


# -- 11: property tests and precision ------------------------------------------------------
def properties(work: Work) -> None:
    from ..testing.runner import FAILED, PASSED, run

    count = 10 if work.quick else 100
    done = [0]

    def tell(text: str) -> None:
        done[0] += 1
        work.progress(text, min(done[0], 12), 12)

    summary = run([catalogue.entries()["zil_bias"]], count, 0, tell)
    for o in summary.outcomes:
        work.check(f"property: {o.name}", {PASSED: True, FAILED: False}.get(o.status), o.text)
    work.page["tests"] = summary
    work.page["torch"] = any("torch" in o.says and o.status == PASSED for o in summary.outcomes)


def float_errors(work: Work) -> None:
    from ..experiments.digits import METHODS
    from ..experiments.digits import kernels as trained

    depths = (2, 4, 8) if work.quick else precision.DEPTHS
    p = precision.measure(trained()[METHODS[2]], trained()[METHODS[1]], depths)
    deepest = p.depths[-1]
    good = max(p.errors[("wavefront", "float32")])
    work.check(
        "the wavefront form stays at rounding level in float32", good < 1e-5, f"largest relative error {good:.1e}"
    )
    worse = p.at("literal", "float32", deepest)
    work.check(
        "the literal form loses digits with depth in float32", worse > 3 * p.at("wavefront", "float32", deepest),
        f"relative error {worse:.1e} at depth {deepest}",
    )  # fmt: skip
    work.page["precision"] = {"p": p, "svg": figures.precision_chart(p), "deepest": deepest}


# -- 12: training --------------------------------------------------------------------------
def training(work: Work) -> None:
    from ..experiments import digits, il

    try:
        data = digits.load_data()
    except digits.ExperimentError as e:
        work.check("trained on the digits", False, str(e))
        work.page["training"] = {
            "missing": str(e),
            "runs": [],
            "exact": None,
            "gamma_rule": il.GAMMA_RULE,
            "t_c": digits.T_C,
        }
        return
    epochs = 3 if work.quick else 30
    runs = []
    for widths in (digits.SHALLOW, digits.DEEP):
        t = digits.train(data, digits.Settings(widths=widths, epochs=epochs), work.progress)
        runs.append({"t": t, "accuracy": figures.accuracy_chart(t), "distance": figures.distance_chart(t)})
        for row in t.rows[1:3]:
            work.check(
                f"{row.method} ends at backprop's weights, {t.name}",
                row.relative < 1e-9,
                f"relative distance {row.relative:.1e}",
            )
        last = t.rows[3]
        assert last.inference is not None
        work.check(
            f"gamma stays below 2/lambda_max, {t.name}", last.slack < 1.0, f"gamma / (2/bound) at most {last.slack:.2f}"
        )
    exact = digits.exact_run(data)
    detail = f"{'-'.join(map(str, exact.widths))}, {exact.updates} updates, leaky relu, fractions of up to {exact.digits} digits"
    work.check("the distance is exactly 0 in rational numbers", exact.ok, detail)
    work.page["training"] = {
        "missing": "",
        "runs": runs,
        "exact": exact,
        "gamma_rule": il.GAMMA_RULE,
        "t_c": digits.T_C,
    }


# -- 13 and 14: trust, copy ---------------------------------------------------------------
def believe(work: Work) -> None:
    main = _main(work)
    work.page["trust"] = trust.beliefs(main, work.page["torch"])
    coq = export(_proof_of(main).data)
    work.page["copy"] = {"latex": tex.theorem_latex(main), "bibtex": trust.bibtex(main), "coq": coq}


# -- 15: the literature -------------------------------------------------------------------
def literature(work: Work) -> None:
    """Every claim of the catalogue by paper, the errata, and Table 2 of Song et al."""
    known = catalogue.entries()
    results = {row["entry"].id: row["result"] for row in work.page["entries"]}
    found = audit.audit(known, results, _main(work).claim.equations.net)
    for row in found.errata:
        e = row.erratum
        if not e.misprint and (row.refuted or row.repaired):
            wrong = [x.id for x in (*row.refuted, *row.repaired) if found.verdicts[x.id] != x.expected]
            work.check(
                f"{e.name}: what is printed is refuted and what repairs it is proved", not wrong, ", ".join(wrong)
            )
    for model in found.models:
        # the one mark that is printed wrongly is E4
        odd = [c for c in model.cells if c.agrees == ((model.name, c.column) == ("Fa-Z-IL", "equivalence"))]
        detail = "; ".join(f"{c.column}: {c.text}, {c.why}" for c in odd)
        work.check(f"Table 2, {model.name}: every mark as printed, but for E4", not odd, detail)
    work.page["audit"] = found


Stage = Callable[["Work"], None]
STAGES: tuple[tuple[str, Stage], ...] = (
    ("proving the catalogue", prove_all),
    ("simulating the wave", wave_picture),
    ("deriving from the energy", words),
    ("writing out the proofs", proof),
    ("attacking the theorem", mutations),
    ("locality", local_reads),
    ("generating kernels", kernels),
    ("property tests", properties),
    ("float errors", float_errors),
    ("training on the digits", training),
    ("trust", believe),
    ("auditing the literature", literature),
)
