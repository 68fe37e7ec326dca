"""Two moves in each time step, predictions held at their forward values."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -1 * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn, substeps=2, held=True)
claim = rule.equals_backprop()
