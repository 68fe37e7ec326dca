"""A matrix of any kind on the errors of a unit's own layer, none on those that are fed back."""

from pcproof import MLP, Eq, Rule, Sum, sq

net = MLP()
x, mu, eps, y, theta, l, t, L, alpha = net.symbols("x mu eps y theta l t L alpha")
P = net.parameter("P", per="pair")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -1 * F.diff(x[l]) + P[l] @ eps[l]}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
