"""A loss of one's own, the sum of any function of what the outputs miss."""

from pcproof import MLP, Eq, OwnLoss, Rule, Sum, output_loss, sq

net = OwnLoss(MLP(), lambda out, target, h: Sum(h(target - out)), functions="h")
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + output_loss(net)
step = {x[l]: -1 * F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
claim = rule.equals_backprop()
