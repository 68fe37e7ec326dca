"""Names in the .v file back to names in the certificate."""

from __future__ import annotations

import re

from .lexer import NotUnderstood

PART = re.compile(r"([A-Za-z0-9]+)|(__)|_x(0|[1-9a-f][0-9a-f]*)_", re.ASCII)


def unspell(text: str) -> str:
    """Letters and digits stand for themselves, ``__`` for ``_``, ``_x<hex>_`` for any other character, ``_e_`` for "".

    There is one way to write each name and one way to read each text, so different names never meet.
    """
    if text == "_e_":
        return ""
    out, at = [], 0
    while at < len(text):
        found = PART.match(text, at)
        if found is None:
            raise NotUnderstood(f"{text!r} spells no name")
        plain, line, code = found.groups()
        if code is None:
            out.append(plain if plain else "_" if line else "")
        else:
            number = int(code, 16)
            if number > 0x10FFFF or (number < 128 and (chr(number).isalnum() or chr(number) == "_")):
                raise NotUnderstood(f"{text!r} spells no name")
            out.append(chr(number))
        at = found.end()
    if not out:
        raise NotUnderstood("a name is empty")
    return "".join(out)


def after(prefix: str, text: str) -> str:
    """The certificate's name of ``<prefix>_<spelling>``."""
    if not text.startswith(prefix + "_"):
        raise NotUnderstood(f"expected a name that begins with {prefix}_, found {text!r}")
    return unspell(text[len(prefix) + 1 :])
