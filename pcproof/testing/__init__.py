"""Property tests that ship with pcproof: generated kernels against backprop, exactly and in floats.

====================  =========================================================
``subjects``          the rules under test, with their generated kernels
``cases``             random networks and data
``reference``         backprop written out in plain loops; torch.autograd
``rounding``          how far two float computations may differ, derived
``properties``        what must hold, and what must fail
``broken``            Z-IL with one condition broken
``runner``            running them with hypothesis; the summary
``junit``             the summary as JUnit XML
``conformance``       ``assert_conforms``, for update functions of other people
``plugin``            the same as a fixture and a marker of pytest
====================  =========================================================

``pcproof test`` runs them from an installed wheel; ``tests/test_properties.py``
runs the same ones.
"""

from __future__ import annotations

from .conformance import assert_conforms

__all__ = ["assert_conforms"]
