# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
r"""
# Check the theory with your own simulation

`ps.predict` says how accurate a student will be, without training one. Here you write the
experiment yourself, in 25 lines of NumPy, and put your points on its curve. Nothing of the
package's own simulator is used.

**Install.** The project is not on a package index, so you need its folder. In a terminal, inside
that folder, type `pip install -e '.[features]' -c constraints.txt` (Python 3.11 or newer;
`features` brings scikit-learn). On Colab or a similar machine, upload the folder, run
`%pip install './pstar[features]'` in a cell (with the path of the folder), and restart the kernel.

## The experiment

* Draw n points x = yμ + z in d dimensions, with label y = ±1 and Gaussian noise z.
* A generator labels each point. Its label is wrong with probability p.
* A verifier keeps a correct label with probability φ, and a wrong one with probability ψ.
* A student is a linear classifier w, fitted to what is kept.
* The student is right on a new point with probability Φ(w·μ/‖w‖), where Φ is the normal
  distribution function. So no test set is needed.

We do this 20 times at each of ten values of p.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtr
from scipy.stats import binom, t
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import pstar as ps

threadpool_limits(1)  # for matrices as small as ours, several threads are slower than one
D, N, SIGNAL, PHI, PSI, RIDGE, REPEATS = 100, 400, 2.0, 0.9, 0.2, 0.1, 20
MU = np.full(D, SIGNAL / np.sqrt(D))
P = np.linspace(0.05, 0.95, 10)


def kept_data(random, p):
    """The points that the verifier keeps, and their labels."""
    y = random.choice([-1, 1], N)
    x = y[:, None] * MU + random.normal(size=(N, D))
    wrong = random.random(N) < p
    kept = random.random(N) < np.where(wrong, PSI, PHI)
    return x[kept], np.where(wrong, -y, y)[kept]


def least_squares(x, label):
    """The w that makes mean((label - x·w)²)/2 + RIDGE ‖w‖²/2 smallest."""
    return np.linalg.solve(x.T @ x / len(x) + RIDGE * np.eye(D), x.T @ label / len(x))


def simulate(train, seed):
    """The accuracy of each student, a row for each p."""
    random = np.random.default_rng(seed)
    w = np.array([[train(*kept_data(random, p)) for _ in range(REPEATS)] for p in P])
    return ndtr(w @ MU / np.linalg.norm(w, axis=2))


def compare(accuracy, predicted):
    """Distance from the theory in standard errors; does the 95% interval hold the theory?"""
    error = accuracy.std(1, ddof=1) / np.sqrt(REPEATS)
    distance = (accuracy.mean(1) - predicted) / error
    return distance, np.abs(distance) < t.ppf(0.975, REPEATS - 1)


def problem(p):
    """The same experiment in the words of the package."""
    rates = ps.Rates(p=p, phi=PHI, psi=PSI)
    return ps.Problem(signal=SIGNAL, curation=rates, ridge=RIDGE)


squared = simulate(least_squares, seed=1)
distance, holds = compare(squared, ps.predict(problem(P), alpha=N / D).accuracy)
print(f"{holds.sum()} of {len(P)} intervals hold the theory.")

# %% [markdown]
r"""
## Points on a curve

The first four functions are the simulation. They know nothing of the package. `problem` says the
same to the package, and `alpha` is n/d.
"""

# %%


def draw(accuracy, loss, color):
    """The theory as a line, the means of the simulation as points with 95% intervals."""
    fine = np.linspace(0, 1, 101)
    theory = ps.predict(problem(fine), alpha=N / D, loss=loss).accuracy
    plt.plot(fine, theory, color=color, label=f"theory, {loss} loss")
    reach = t.ppf(0.975, REPEATS - 1) * accuracy.std(1, ddof=1) / np.sqrt(REPEATS)
    words = f"simulation, {loss} loss"
    plt.errorbar(P, accuracy.mean(1), reach, fmt=".", capsize=3, color=color, label=words)


def finish():
    """The generator, p*, and words."""
    plt.plot([0, 1], [1, 0], "--", color="0.6", label="generator, 1 − p")
    plt.axvline(PHI / (PHI + PSI), color="0.6", linestyle="dotted", label="p*")
    plt.gca().set(xlabel="p, error rate of the generator", ylabel="accuracy")
    plt.legend()
    plt.show()


draw(squared, "squared", "tab:blue")
finish()

# %% [markdown]
r"""
The theory is exact when d is large. Here d is 100, and what is left of the difference is much
smaller than the intervals. At p = p\* the accuracy is 1/2.

## The same with scikit-learn

`LogisticRegression` makes another loss small, and it counts its penalty in another way:

| | what is made small |
|---|---|
| this package | (1/m) Σ loss + (λ/2) ‖w‖², where m is the number of kept points and λ is `ridge` |
| scikit-learn | C Σ loss + (1/2) ‖w‖² |

Divide the first line by λ, and you see that they are the same for C = 1/(λ m). (For scikit-learn's
`Ridge` it is alpha = λ m.) There is no intercept, because the classes are equally large and lie
symmetrically.
"""

# %%


def logistic_with(penalty):
    """A learner of scikit-learn. `penalty` gives its C from the number of kept points."""

    def train(x, label):
        options = {"fit_intercept": False, "solver": "newton-cholesky"}
        return LogisticRegression(C=penalty(len(x)), **options).fit(x, label).coef_[0]

    return train


logistic = simulate(logistic_with(lambda kept: 1 / (RIDGE * kept)), seed=2)
theory = ps.predict(problem(P), alpha=N / D, loss="logistic").accuracy
distance_logistic, holds_logistic = compare(logistic, theory)
print(f"{holds_logistic.sum()} of {len(P)} intervals hold the theory.")
draw(squared, "squared", "tab:blue")
draw(logistic, "logistic", "tab:orange")
finish()

# %% [markdown]
r"""
## What a mistake looks like

Forget that the penalty is counted in another way, and set C = 1/λ. The penalty is then m times too
weak, and the student fits the wrong labels.
"""

# %%
mistaken = simulate(logistic_with(lambda kept: 1 / RIDGE), seed=2)
distance_mistaken, holds_mistaken = compare(mistaken, theory)
print(f"{holds_mistaken.sum()} of {len(P)} intervals hold the theory.")
draw(mistaken, "logistic", "tab:orange")
finish()

# %% [markdown]
r"""
## So, does the theory hold?

If it does, each 95% interval holds it with probability 0.95. Then the number of intervals that hold
it is binomial, and we can say how surprising ours is.
"""

# %%
for name, each in (
    ("your simulation", np.concatenate([holds, holds_logistic])),
    ("with the mistake", holds_mistaken),
):
    chance = binom.cdf(each.sum(), each.size, 0.95)
    print(f"{name}: {each.sum()} of {each.size} intervals hold the theory.")
    print(f"  Chance of so few or fewer, if the theory is right: {chance:.2g}")
farthest = np.abs([*distance, *distance_logistic]).max()
print(f"The farthest of your 20 points is {farthest:.1f} standard errors from the theory.")

# %% [markdown]
r"""
One of twenty intervals should miss, so "19 of 20" is what agreement looks like, and "20 of 20" is
no better. Worry when

* **the points are nearer to 1/2 than the curve, or farther, on both sides of p\***: then the
  penalty is counted in another way, or `alpha` counts something else than the generated points;
* **the points are the mirror image of the curve**: then p and 1 − p are exchanged, or φ and ψ are;
* **they miss by less and less as d grows**: then nothing is wrong. The theory is about large d.
  With many repeats the intervals become shorter than what is left at d = 100. Double `D` and `N`,
  and see the difference shrink.

Seeds are fixed here, so you see the same points as we do. Change them and run again: other
intervals will miss.

Next: the notebook `phase_diagram` draws this theory for all generators and verifiers at once.
"""
