"""``python -m pcproof`` is the command ``pcproof``."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
