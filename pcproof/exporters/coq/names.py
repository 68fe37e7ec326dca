"""Names of the user's, spelled so that Coq takes them, no two become one, and none is a name of anything else."""

from __future__ import annotations

import re

_LETTER = r"(?:[A-Za-z0-9]|__|_e_|_x[0-9a-f]+_)"

#: what the functions below make; no word of the prelude, of a script or of Coq's grammar looks like this
SPELLED = re.compile(rf"(?:[uzoivhe]|[kcl]\d+)_{_LETTER}+")

#: what the exporter itself calls things
FIXED = re.compile(
    r"params|make_params|theory_ok|theory_facts|hypotheses_ok|certified|arith|[sx]\d+|(?:id|ind|call|measure|body|eval|go)\d+|eval\d+_eq"
    rf"|v_{_LETTER}+_zero"
)


def spell(name: str) -> str:
    """ASCII letters and digits stay, ``_`` is doubled, anything else is written ``_x<hex>_``; no name is ``_e_``."""
    if not isinstance(name, str):
        raise TypeError(f"a name is text, got {name!r}")
    plain = (c if c.isascii() and c.isalnum() else "__" if c == "_" else f"_x{ord(c):x}_" for c in name)
    return "".join(plain) or "_e_"


def symbol(name: str) -> str:
    """A real symbol: field of the parameters, or a definition."""
    return "u_" + spell(name)


def size(name: str) -> str:
    return "z_" + spell(name)


def elsewhere(name: str) -> str:
    """What a defined symbol is where no case applies."""
    return "o_" + spell(name)


def variable(name: str) -> str:
    return "i_" + spell(name)


def direction(name: str) -> str:
    return "v_" + spell(name)


def hypothesis(name: str) -> str:
    return "h_" + spell(name)


def call(group: int, name: str) -> str:
    return f"k{group}_" + spell(name)


def case(name: str, number: int) -> str:
    return f"c{number}_" + spell(name)


def extensional(name: str) -> str:
    return "e_" + spell(name)
