"""The catalogue as an audit of the literature: printed claims, their verdicts, what repairs them; the errata.

An erratum is about the entries whose equation names it, as in "eq. 4 (E1)",
or whose id begins with it, as in ``err_e1``.  What repairs a refuted claim is
named in its note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .catalogue import Entry


@dataclass(frozen=True)
class Erratum:
    """A printed statement that fails.

    ids: entries about it beside those that name it.
    misprint: why there is no claim to refute, "" if there is one.
    """

    number: int
    where: str
    printed: str
    ids: tuple[str, ...] = ()
    misprint: str = ""

    @property
    def name(self) -> str:
        return f"E{self.number}"


GRAPHS = "Salvatori et al., AAAI 2022"
ERRATA = (
    Erratum(1, "Song et al. 2020, text at eq. 4", "delta is the derivative of the loss"),
    Erratum(2, "Song et al. 2020, Algorithms 1 and 2", "update x, then update theta"),
    Erratum(3, "Song et al. 2020, remark on C1", "C1 holds after a converged prediction phase, with gamma = 1"),
    Erratum(
        4,
        "Song et al. 2020, section 4",
        "a failed detection does no harm",
        ("fazil_no_harm", "fazil_no_harm_output", "fazil_no_harm_dead", "fazil_sufficient", "fazil_criterion"),
    ),
    Erratum(
        5,
        "Song et al. 2020, text to Table 4",
        "inference learning needs t_d steps",
        misprint="a misprint of a symbol: t_d is the window of Fa-Z-IL, t_c is meant; there is no claim to refute",
    ),
    Erratum(6, f"{GRAPHS}, eqs 3, 5, 7, 8", "eps = mu - x, with the signs of x - mu", ("zil_chain",)),
    Erratum(7, f"{GRAPHS}, Lemma A.1", "eps = 0 for every t <= d"),
    Erratum(8, f"{GRAPHS}, Algorithm 3", "a leaf of level k learns at t = k", ("zil_levelled_graph",)),
    Erratum(9, f"{GRAPHS}, Algorithm 2", "insert d_j - D_i identity vertices"),
    Erratum(10, f"{GRAPHS}, eq. 12", "on the skip graph z3 changes by alpha delta z1 z2 s", ("skip_graph_padded",)),
    Erratum(
        11,
        f"{GRAPHS}, Theorem 3",
        "G : R^n -> R",
        ("zil_chain",),
        misprint="too narrow and not false: outputs that are vectors, and sums over samples, are in zil_chain",
    ),
    Erratum(12, f"{GRAPHS}, Table 3", "distances for gamma = 0.5 above what backprop moves"),
    Erratum(13, "Millidge et al. 2020, eqs 2, 5, 6", "signs and indices", ("fixed_prediction_printed",)),
    Erratum(14, "Rosenbaum 2022 (v2), Algorithm 3", "eps = v - v_hat, v + eta eps", ("fixed_prediction_printed",)),
    Erratum(
        15,
        "Rosenbaum 2022, R-2",
        "strict predictive coding is backprop only if v = v_hat",
        ("only_the_forward_equilibrium", "forward_equilibrium_is_idle"),
    ),
    Erratum(16, "Zahid et al. 2023, Theorem 1, proof", "Jacobians other than 0 keep errors other than 0"),
    Erratum(
        17,
        "commonly said",
        "Z-IL is exact for hidden energies that are no squares",
        ("hidden_energy_kl", "hidden_energy_general_kl", "hidden_energy_exact", "hidden_energy_only"),
    ),
)


@dataclass(frozen=True)
class ErratumRow:
    """An erratum with the refuted claims and what is proved in their place."""

    erratum: Erratum
    refuted: tuple[Entry, ...]
    repaired: tuple[Entry, ...]

    @property
    def settled(self) -> bool:
        """Is there nothing to refute, or a refuted claim and a proved one?"""
        return bool(self.erratum.misprint) or bool(self.refuted and self.repaired)


def repaired_by(entry: Entry, known: Mapping[str, Entry]) -> tuple[Entry, ...]:
    """The theorems that the note of a refuted claim names."""
    if entry.expected != "refuted":
        return ()
    words = dict.fromkeys(re.findall(r"\w+", entry.note))
    return tuple(known[w] for w in words if w in known and known[w].expected == "proved")


def names_erratum(entry: Entry, number: int) -> bool:
    """Does an entry's equation or id say that it is about this erratum?"""
    return f"(E{number})" in entry.equation or re.match(rf"err_e{number}(?!\d)", entry.id) is not None


def errata(known: Mapping[str, Entry]) -> tuple[ErratumRow, ...]:
    """Every erratum with its entries."""
    out = []
    for e in ERRATA:
        about = [x for x in known.values() if names_erratum(x, e.number) or x.id in e.ids]
        refuted = [x for x in about if x.expected == "refuted"]
        named = [x for r in refuted for x in repaired_by(r, known)]
        proved = [x for x in about if x.expected == "proved"]
        out.append(ErratumRow(e, tuple(refuted), tuple(dict.fromkeys([*named, *proved]))))
    return tuple(out)


def paper(entry: Entry) -> str:
    """The paper that an entry is about; corollaries that are printed nowhere have none."""
    first = re.split(r"[,;]", entry.source)[0].strip()
    return first if re.search(r"\d{4}", first) else "Printed nowhere"


def by_paper(known: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Entries grouped by paper, in the order of the catalogue; what is printed nowhere comes last."""
    out: dict[str, list[Entry]] = {}
    for entry in known:
        out.setdefault(paper(entry), []).append(entry)
    last = out.pop("Printed nowhere", None)
    return out if last is None else {**out, "Printed nowhere": last}
