"""Coq: a certificate becomes definitions, a statement and a proof script that coqc checks."""

from __future__ import annotations

from .export import export, statement
from .run import ALLOWED, GET, accept, coqc_version, queue
from .terms import CoqError

__all__ = ["ALLOWED", "GET", "CoqError", "accept", "coqc_version", "export", "queue", "statement"]
