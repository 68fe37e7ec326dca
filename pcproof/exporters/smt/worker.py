"""One solver in a process of its own: a script a line in, an answer a line out.

    python worker.py z3|cvc5 MILLISECONDS

Lines are JSON: a script with its ``check-sat`` comes in, the solver's answer goes out as text.  The process ends when
its input does.  It imports the solver and nothing of pcproof, so it starts fast.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable


def z3_solver(milliseconds: int) -> Callable[[str], str]:
    import z3

    context = z3.Context()

    def answer(script: str) -> str:
        try:
            given = f"(reset)\n(set-option :timeout {milliseconds})\n{script}"
            return str(z3.Z3_eval_smtlib2_string(context.ref(), given))
        except z3.Z3Exception as e:
            return f"error: {e}"

    return answer


def cvc5_solver(milliseconds: int) -> Callable[[str], str]:
    import cvc5

    def answer(script: str) -> str:
        solver = cvc5.Solver(cvc5.TermManager()) if hasattr(cvc5, "TermManager") else cvc5.Solver()  # before 1.2
        solver.setOption("tlimit-per", str(milliseconds))
        parser = cvc5.InputParser(solver)
        try:
            parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "obligation")
            symbols, out = parser.getSymbolManager(), ""
            while True:
                command = parser.nextCommand()
                if command.isNull():
                    return out
                out += str(command.invoke(solver, symbols))
        except RuntimeError as e:
            return f"error: {e}"

    return answer


def unannounced(script: str) -> str:
    """Without the expected answer: z3 makes an error of another one, and no solver should be told."""
    return "\n".join(line for line in script.split("\n") if not line.startswith("(set-info :status "))


SOLVERS = {"z3": z3_solver, "cvc5": cvc5_solver}


def main(solver: str, milliseconds: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the solver's library prints is no answer
    try:
        answer = SOLVERS[solver](milliseconds)
    except ImportError as e:
        problem = f"{solver} cannot be imported: {e}"

        def answer(script: str) -> str:
            return problem

    for line in sys.stdin:
        out.write(json.dumps(answer(unannounced(json.loads(line))).strip()) + "\n")
        out.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
