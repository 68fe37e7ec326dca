"""An independent reader of .v files: does the theorem say what the certificate says?

It shares nothing with the exporter or the kernel.  What it compares is the claim, not the proof: with coqc accepting
the file, the theorem that Coq has proved is the one that the certificate states.
"""

from .compare import Difference, compare

__all__ = ["Difference", "compare"]
