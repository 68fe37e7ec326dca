"""Exit statuses."""

from __future__ import annotations

DONE = PROVED = 0
FAILED = REFUTED = 1
BAD_INPUT = 2
UNKNOWN = 3
INTERNAL = 70
INTERRUPTED = 130
PIPE_CLOSED = 141

OF_VERDICT = {"proved": PROVED, "refuted": REFUTED, "unknown": UNKNOWN}
