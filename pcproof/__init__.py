"""pcproof: is this learning rule backprop?  A proof, a counterexample, or "unknown".

import pcproof as pp
net = pp.MLP()                               # any depth, any widths, any activation
zil = pp.rules.zil(net, gamma=1)             # Song et al. 2020
print(pp.prove(zil.equals_backprop()))
"""

from __future__ import annotations

from . import rules
from .api import confirm, prove, refute
from .characterise import Characterisation, characterise
from .language.signature import Claim
from .networks.chain import Chain
from .networks.losses import AnyLoss, CrossEntropy
from .networks.mlp import MLP
from .result import Proved, Refuted, Result, Unknown
from .rules.equations import RuleError
from .rules.losses import output_loss
from .rules.own_loss import OwnLoss
from .rules.products import act, back, matrix, outer, slope
from .rules.rule import Rule
from .rules.surface import Eq, Sum, before, is_zero, nonzero, sq

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "AnyLoss",
    "Chain",
    "Characterisation",
    "Claim",
    "CrossEntropy",
    "Eq",
    "OwnLoss",
    "Proved",
    "Refuted",
    "Result",
    "Rule",
    "RuleError",
    "Sum",
    "Unknown",
    "act",
    "back",
    "before",
    "characterise",
    "confirm",
    "is_zero",
    "matrix",
    "nonzero",
    "outer",
    "output_loss",
    "prove",
    "refute",
    "rules",
    "slope",
    "sq",
]
