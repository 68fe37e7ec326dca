"""The presynaptic activation is left out of the change."""

from pcproof import MLP, Eq, Rule, Sum, sq
from pcproof.rules.products import outer

net = MLP()
x, mu, eps, y, theta, l, t, L, alpha = net.symbols("x mu eps y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -F.diff(x[l])}
learn = {theta[l + 1]: alpha * outer(eps[l], x[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l), step=step, learn=learn)
