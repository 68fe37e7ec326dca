"""Precisions counted from the input, with step sizes and learning rates that undo them."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
p = net.parameter("p", per="layer")
F = Sum(p[L - l] * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -1 / p[L - l] * F.diff(x[l])}
learn = {theta[l + 1]: -alpha / p[L] * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
