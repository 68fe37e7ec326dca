"""Coq: a certificate becomes definitions, a statement and a proof script that coqc checks."""

from __future__ import annotations

from .export import export, statement
from .run import ALLOWED, GET, Checked, check, coqc_version
from .terms import CoqError

__all__ = ["ALLOWED", "GET", "Checked", "CoqError", "check", "coqc_version", "export", "statement"]
