"""Terms, statements and calculations in other languages: LaTeX, MathML."""
