"""Where the catalogue is while pcproof runs from a checkout: the folder ``derivations/`` beside the package.

In an installation that folder is the package ``pcproof.derivations`` itself,
and Python finds it before this module.
"""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[1] / "derivations")]
