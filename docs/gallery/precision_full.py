"""A full precision matrix for each layer."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
P = net.parameter("P", per="pair")
F = sq(x[0] - mu[0]) / 2 + Sum(sq(x[l] - mu[l], P[l]) / 2, (l, 1, L - 1))
step = {x[l]: -1 * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
