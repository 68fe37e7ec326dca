"""Sweeps from the output with steps gamma."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, y, theta, l, t, L, gamma, alpha = net.symbols("x mu y theta l t L gamma alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -gamma * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, 0), step=step, learn=learn, order="from-output")
claim = rule.equals_backprop()
