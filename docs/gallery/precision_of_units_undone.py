"""Precisions of the hidden units, each unit's step divided by its own."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
p = net.parameter("p", per="unit")
F = sq(x[0] - mu[0]) / 2 + Sum(sq(x[l] - mu[l], p[l]) / 2, (l, 1, L - 1))
step = {x[l]: -1 / p[l] * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
