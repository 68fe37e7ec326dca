"""Euler's iteration of fixed prediction, any step, on any directed acyclic graph: it converges iff 0 < gamma < 2.

Source: Millidge, Tschantz and Buckley (2020), section 2, who run 100 to 200
steps of a small gamma (their eta); hypotheses and rate derived.  Vertices,
Jacobians and the step are those of ``derivations/dag``; a chain of layers, of
any kind, is the graph with edges l -> l - 1.

With d_t = eps_t - delta the deviation from the fixed point,

    d_t^0 = 0,   d_t^l = (1 - gamma) d_{t-1}^l + gamma sum_{m<l} J[m,l]^T d_{t-1}^m

*Rate*: for every rho > (1 - gamma)^2, every start, every unit: d_t^2 <= C rho^t,

    C^0 = 0,   C^l = d_0^2 + 2 gamma^2 (rho + (1 - gamma)^2) / (rho - (1 - gamma)^2)^2 |J|^2 sum_{m<l} C^m

*If* 0 < gamma < 2 then rho = (1 + (1 - gamma)^2) / 2 is below 1.  *Only if*: next
to the output d_t = (1 - gamma)^t d_0, which is never closer than d_0 where
gamma (2 - gamma) <= 0; d_0 = x0 - y - delta is any number.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules import dag_convergence

ORDER = 64
SOURCE = "Millidge et al. 2020"


def entry(make: Callable[[], Claim], note: str) -> Entry:
    made = make()
    claim = partial(_claim, make)
    return Entry(made.id, made.title, SOURCE, "section 2, eq. 2 repaired", claim, note=note)


def _claim(make: Callable[[], Claim]) -> Claim:
    return replace(make(), source=SOURCE)


ENTRIES = (
    entry(dag_convergence.rate, "any gamma and rho; gamma = 1 after as many steps as vertices: dag_euler"),
    entry(dag_convergence.converges, "the other direction is dag_does_not_converge"),
    entry(dag_convergence.does_not_converge, "the other direction is dag_converges"),
)
