"""What one would write first: `scipy.optimize.root` on (a, log tau, log theta), logistic loss, independent setting.

    python benchmarks/plain_scipy.py        # the accuracy at one cell, as a whole process

Expectations are by `scipy.integrate.quad`, the proximal point by `scipy.optimize.brentq`, the start is cold.
"""

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, root
from scipy.special import expit, ndtr

LIMIT = 9.0


def prox_slope(x, theta):
    """M'(x) and M''(x) of the logistic loss, the proximal point by bracketing."""
    v = brentq(lambda v: v - x - theta * expit(-v), x, x + theta + 1e-12, xtol=1e-14)
    curvature = expit(v) * expit(-v)
    return -expit(-v), curvature / (1 + theta * curvature)


def scipy_reference(signal, purity, delta, ridge):
    """Accuracy at one cell, logistic loss, or NaN where `root` reports failure or the residual exceeds 1e-6."""

    def equations(u):
        a, tau, theta = u[0], np.exp(u[1]), np.exp(u[2])
        spread = np.hypot(a, tau)

        def mean(function, sign):
            integrand = lambda h: function(a * sign * signal + spread * h) * np.exp(-h * h / 2) / np.sqrt(2 * np.pi)
            return quad(integrand, -LIMIT, LIMIT, epsabs=1e-11, limit=200)[0]

        slope, square, curve = 0.0, 0.0, 0.0
        for sign, weight in ((1, purity), (-1, 1 - purity)):
            bend = mean(lambda x: prox_slope(x, theta)[1], sign)
            slope += weight * (sign * signal * mean(lambda x: prox_slope(x, theta)[0], sign) + a * bend)
            square += weight * mean(lambda x: prox_slope(x, theta)[0] ** 2, sign)
            curve += weight * bend
        beta = np.sqrt(square)
        return [slope + ridge * a, theta - tau / (np.sqrt(delta) * beta), beta / np.sqrt(delta) - tau * (curve + ridge)]

    found = root(equations, np.zeros(3), tol=1e-10)
    if not found.success or np.max(np.abs(found.fun)) > 1e-6:
        return np.nan
    a, tau = found.x[0], np.exp(found.x[1])
    return ndtr(signal * a / np.hypot(a, tau))


if __name__ == "__main__":
    p, phi, psi = 0.3, 0.9, 0.2
    purity = (1 - p) * phi / ((1 - p) * phi + p * psi)
    print(scipy_reference(2.0, purity, 4.0 * ((1 - p) * phi + p * psi), 0.1))
