"""Names of the user's, spelled so that Coq takes them and no two become one."""

from __future__ import annotations


def spell(name: str) -> str:
    """ASCII letters and digits stay, ``_`` is doubled, anything else is written ``_x<hex>_``."""
    return "".join(c if c.isascii() and c.isalnum() else "__" if c == "_" else f"_x{ord(c):x}_" for c in name)


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


def linear(name: str, position: int) -> str:
    return f"l{position}_" + spell(name)
