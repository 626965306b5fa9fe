#!/usr/bin/env python3
"""Figures that Tests/NumericsTests checks against, from numpy and scipy.

The data are made by a linear congruential generator, so that the Swift tests make the same ones.
Run: python3 Tests/Scripts/numerics_reference.py
"""
import numpy as np
from scipy import optimize, stats


def uniforms(count, seed):
    """x -> 1664525 x + 1013904223 mod 2^32, as fractions."""
    values = []
    for _ in range(count):
        seed = (1664525 * seed + 1013904223) % 2**32
        values.append(seed / 2**32)
    return np.array(values)


def show(name, values):
    print(name, "[" + ", ".join(repr(float(v)) for v in np.ravel(values)) + "]")


rows, columns = 30, 6
x = uniforms(rows * columns, 1).reshape(rows, columns)
noise = uniforms(rows, 2) - 0.5
truth = np.array([1.0, 0.0, 2.0, 0.5, 0.0, 0.25])
y = x @ truth + 0.8 * noise
w = 0.5 + uniforms(rows, 3)

show("ordinary", np.linalg.lstsq(x, y, rcond=None)[0])
xtwx = x.T @ (w[:, None] * x)
c = np.linalg.solve(xtwx, x.T @ (w * y))
show("weighted", c)
r = y - x @ c
s2 = (w * r * r).sum() / (rows - columns)
show("weighted scale", np.sqrt(s2))
show("weighted standard errors", np.sqrt(s2 * np.diag(np.linalg.inv(xtwx))))
show("ridge 0.3", np.linalg.solve(x.T @ x + 0.3 * np.eye(columns), x.T @ y))

show("nnls", optimize.nnls(x, y)[0])
y2 = x @ np.array([1.0, -1.0, 2.0, -0.5, 0.3, 0.0]) + 0.8 * noise
c = optimize.nnls(x, y2)[0]
show("nnls negative truth", c)
root = np.sqrt(w)[:, None]
show("nnls weighted", optimize.nnls(x * root, y2 * root[:, 0])[0])
ridge = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
prior = np.array([1.0, 1.0, 1.0, 0.2, 0.2, 0.2])
show("nnls ridge prior", optimize.nnls(
    np.vstack([x, np.diag(np.sqrt(ridge))]), np.concatenate([y2, np.sqrt(ridge) * prior]))[0])
free = c > 0
g = x[:, free].T @ x[:, free]
r = y2 - x @ c
s2 = (r @ r) / (rows - free.sum())
show("nnls free standard errors", np.sqrt(s2 * np.diag(np.linalg.inv(g))))

a, b = uniforms(25, 7), uniforms(25, 8)
b = np.round(10 * (a + b)) / 10
a = np.round(10 * a) / 10
show("pearson spearman kendall", [stats.pearsonr(a, b)[0], stats.spearmanr(a, b)[0], stats.kendalltau(a, b)[0]])
show("quantiles .1 .33 .9", np.quantile(uniforms(25, 9), [0.1, 0.33, 0.9]))
show("median, mad, variance", [np.median(uniforms(24, 9)), stats.median_abs_deviation(uniforms(24, 9)),
                               np.var(uniforms(24, 9), ddof=1)])
show("normal cdf -3 0.5 1.96, quantile 0.025 0.9 1e-10",
     list(stats.norm.cdf([-3, 0.5, 1.96])) + list(stats.norm.ppf([0.025, 0.9, 1e-10])))
show("t cdf (-2; 3) (1.5; 12.5), quantile (0.975; 4) (0.05; 30)",
     [stats.t.cdf(-2, 3), stats.t.cdf(1.5, 12.5), stats.t.ppf(0.975, 4), stats.t.ppf(0.05, 30)])

m = np.array([[4.0, 2.0, 0.6], [2.0, 5.0, 1.5], [0.6, 1.5, 3.0]])
show("cholesky", np.linalg.cholesky(m))
show("solve", np.linalg.solve(m, [1.0, 2.0, 3.0]))
show("log determinant", np.linalg.slogdet(m)[1])
show("inverse", np.linalg.inv(m))
show("sobol in 3 dimensions, points 1 to 7", stats.qmc.Sobol(3, scramble=False).random(8)[1:])
show("halton in 4 dimensions, points 1 to 5", stats.qmc.Halton(4, scramble=False).random(6)[1:])


def huber_nnls(x, y, w, k=1.345):
    c = optimize.nnls(x * np.sqrt(w)[:, None], y * np.sqrt(w))[0]
    for _ in range(1000):
        u = np.sqrt(w) * np.abs(y - x @ c)
        limit = k * 1.4826 * np.median(u)
        v = w * np.minimum(1, limit / np.maximum(u, 1e-300))
        c = optimize.nnls(x * np.sqrt(v)[:, None], y * np.sqrt(v))[0]
    return c


y3 = y.copy()
y3[4] += 20
y3[17] -= 15
show("huber nnls", huber_nnls(x, y3, w))
