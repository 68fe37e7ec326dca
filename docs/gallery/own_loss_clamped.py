"""The same network with its output clamped: the energy asks for the squared error, the loss for the fourth power."""

from pcproof import MLP, Eq, OwnLoss, Rule, Sum, sq

net = OwnLoss(MLP(), lambda out, target: sq((target - out) * (target - out)) / 4)
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -1 * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
