"""A learning rate for each layer."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, y, theta, l, t, L, gamma = net.symbols("x mu y theta l t L gamma")
eta = net.parameter("eta", per="layer")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -gamma * F.diff(x[l])}
learn = {theta[l + 1]: -eta[l + 1] * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
