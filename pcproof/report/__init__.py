"""Faces of a proof: calculation, LaTeX, and the HTML report."""
