"""Is this function backprop?  Anybody's update function against exact oracles.

====================  =========================================================
``run``               the question and the answer: ``conform(function)``
``load``, ``subject`` a function of a file; how it wants to be called
``libraries``         arrays and activations of NumPy, PyTorch, JAX
``limits``            a time limit and errors in one sentence
``probes``            the networks on which a function is tried
``oracle``            backprop on them in exact arithmetic; bounds of rounding
``precise``           activations to 400 bits
``compare``           equal, equal after a stated change, where they differ
``kinds``             what it computes: backprop, factors, equilibrium, ...
``shares``, ``states``  fixed prediction's shares; the activities behind an update
``attacks``           the usual weak spots
``variants``, ``causes``  why it is not backprop
``smallest``          the smallest failing case as code
``modules``           a training step that leaves ``.grad`` as an update function
``energy``            energy, inference step, weight update, equilibrium
``energy_states``     networks with activities, energies, derivatives by differences
``energy_smallest``   the smallest failing case of an energy as code
====================  =========================================================

What is found here is tested, on the networks that are named, and not proved.
"""

from __future__ import annotations

from typing import Any

from .libraries import library
from .limits import Unusable
from .load import load
from .oracle import expected
from .oracle import given as _given
from .probes import Probe, functions
from .run import Conformance, conform

__all__ = ["Conformance", "Probe", "Unusable", "conform", "expected", "function", "given", "load"]


def given(probe: Probe, arrays: str = "numpy") -> Any:
    """The arrays of a probe as a library's own."""
    data, lib = _given(probe), library(arrays)
    data.weights = [lib.array(w) for w in data.weights]
    data.biases = None if data.biases is None else [lib.array(c) for c in data.biases]
    data.x, data.target = lib.array(data.x), lib.array(data.target)
    return data


def function(name: str, arrays: str = "numpy", form: str = "object", seed: int = 0) -> Any:
    """An activation in the form in which a function under test gets it."""
    return library(arrays).activation(functions(Probe((1, 1, 1), activation=name, seed=seed))[1], form)
