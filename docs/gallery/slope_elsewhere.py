"""f' taken at the prediction and not at the activity."""

from pcproof import MLP, Eq, Rule, Sum, sq
from pcproof.rules.products import back, slope

net = MLP()
x, mu, eps, y, theta, l, t, L, alpha = net.symbols("x mu eps y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -eps[l] + slope(mu[l]) * back(theta[l], eps[l - 1])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
