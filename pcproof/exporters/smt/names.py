"""Names of the user's, spelled so that every solver takes them and no two become one.

Letters, digits and ``_`` stay, any other character is written ``.<hex>.``.  A prefix tells kinds of names apart, so
none is a word of SMT-LIB and none needs quotation marks.
"""

from __future__ import annotations

import re


def spell(name: str) -> str:
    """Injective: a dot only stands around the code of a character."""
    return re.sub(r"[^A-Za-z0-9_]", lambda m: f".{ord(m.group()):x}.", name)


def variable(name: str) -> str:
    return "v_" + spell(name)


def size(name: str) -> str:
    return "z_" + spell(name)


def symbol(name: str, moving: bool = False) -> str:
    """A real symbol; ``moving``: as a function of the step along a direction."""
    return ("c_" if moving else "u_") + spell(name)


def tangent(direction: str) -> str:
    return "tangent_" + spell(direction)


def derivative(name: str) -> str:
    """The predicate: the declared derivatives of the symbol are its derivatives at a point."""
    return "deriv_" + spell(name)
