"""Inference learning: all weights learn at one time t_c."""

from pcproof import MLP, Eq, Rule, Sum, sq
from pcproof.language.index import size

net = MLP()
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
step = {x[l]: -F.diff(x[l])}
learn = {theta[l + 1]: -alpha * F.diff(theta[l + 1])}
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, size("tc")), step=step, learn=learn)
