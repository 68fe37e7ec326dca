"""Precisions for all units, a loss that weighs the outputs by theirs, each unit's step divided by its own."""

from pcproof import MLP, Eq, OwnLoss, Rule, Sum, sq

p = MLP().parameter("p", per="unit")
net = OwnLoss(MLP(), lambda out, target: sq(target - out, p[0]) / 2)
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
F = Sum(sq(x[l] - mu[l], p[l]) / 2, (l, 0, L - 1))
step = {x[l]: -1 / p[l] * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
