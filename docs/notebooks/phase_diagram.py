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
# The phase diagram in ten lines

A generator labels data, and some of its labels are wrong. A verifier throws some labels away. A
student learns from what is left. Will the student be better than the generator? One picture answers
this for every generator and every verifier.

**Install.** The project is not on a package index, so you need its folder. In a terminal, inside
that folder, type `pip install -e . -c constraints.txt` (Python 3.11 or newer). On Colab or a
similar machine, upload the folder, run `%pip install ./pstar` in a cell (with the path of the
folder), and restart the kernel.

| symbol | meaning |
|---|---|
| p | the share of the generator's labels that are wrong; the generator is right in 1 − p of all cases |
| φ | the share of the correct labels that the verifier keeps |
| ψ | the share of the wrong labels that the verifier keeps |
| n/d | how many labels are generated, divided by the number of features of an input |
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import pstar as ps

p, ratio = np.meshgrid(np.linspace(0, 1, 201), np.linspace(0, 1, 101))
problem = ps.Problem(signal=1, curation=ps.Rates(p, phi=0.9, psi=0.9 * ratio), ridge=1)
found = ps.predict(problem, alpha=2)
gain = found.accuracy - found.generator_accuracy
print("At p = 0.3 you need a ψ/φ of at most", ratio[(gain > 0) & np.isclose(p, 0.3)].max())
plt.colorbar(plt.pcolormesh(p, ratio, found.accuracy, cmap="cividis"), label="accuracy")
plt.clabel(plt.contour(p, ratio, p - found.p_star, [0], colors="white"), fmt={0: "p*"})
plt.clabel(plt.contour(p, ratio, gain, [0], colors="black"), fmt={0: "p_gain"})
plt.gca().set(xlabel="p, error rate of the generator", ylabel="ψ/φ of the verifier")
plt.show()

# %% [markdown]
r"""
## How to read it

* **Colour** is the accuracy of the student. At the bottom is a perfect verifier, which keeps no
  wrong label; at the top a useless one, which keeps wrong labels as often as correct ones. Every
  point is one generator with one verifier. Nothing was simulated: the colours are exact when the
  number of features is large.
* **The white line is p\*** = 1/(1 + ψ/φ). Left of it, more than half of the kept labels are
  correct, and the student is better than a coin. Right of it, most kept labels are wrong, and the
  student learns the opposite of the truth.
* **The black line is p_gain**, where the student is exactly as good as its generator. Left of it
  the generator is so good that a student of its labels is worse. Right of it the student is better.

So p\* says where training works *at all*, and p_gain says where it is *worth doing*. Between the
black and the white line both are true. Right of the white line the student beats its generator too,
but both are worse than a coin.

What is behind the picture: two classes of points, x = yμ + z, with label y = ±1 and Gaussian noise
z. The length of μ is the `signal`. With signal 1, no classifier is right in more than 84% of all
cases. The student is a linear classifier, fitted by least squares with the penalty `ridge`.
"""

# %% [markdown]
r"""
## At p = 0.3, which verifier do I need?

The generator is right in 70% of all cases, and the student should do better. Walk up the picture at
p = 0.3, from a perfect verifier to a useless one. How far you can go depends on how many labels you
generate. The dots show it.
"""

# %%
ratio = np.linspace(0, 1, 1001)
sizes = np.array([1, 2, 4, 8])  # of n/d, a row for each
rates = ps.Rates(p=0.3, phi=0.9, psi=0.9 * ratio)
found = ps.predict(ps.Problem(signal=1, curation=rates, ridge=1), alpha=sizes[:, None])

needed = [ratio[row].max() for row in found.beats_generator]
print("To beat the generator, ψ/φ must be at most:")
for size, most in zip(sizes, needed, strict=True):
    print(f"  n/d = {size}   {most:.2f}")

for size, most, curve in zip(sizes, needed, found.accuracy, strict=True):
    line = plt.plot(ratio, curve, label=f"n/d = {size}")
    plt.plot(most, np.interp(most, ratio, curve), "o", color=line[0].get_color())
plt.axhline(0.7, color="black", linestyle="dashed", label="generator")
plt.gca().set(xlabel="ψ/φ of the verifier", ylabel="accuracy of the student")
plt.legend()
plt.show()

# %% [markdown]
r"""
At n/d = 8 the answer is 1.00: even a useless verifier will do, or none at all.

The rule p < p\* would say that every verifier will do, because p\* is never below 1/2 here. That is
true of endless data. With a finite number of labels you need a verifier, and the fewer labels you
have, the better it must be.

## What if my φ is not 0.9?

A verifier that keeps half as much of the correct labels *and* half as much of the wrong ones leaves
half as many labels, of the same quality. So it is the same as generating half as many labels. This
is exact:
"""

# %%
rates, half = ps.Rates(p=0.3, phi=0.9, psi=0.2), ps.Rates(p=0.3, phi=0.45, psi=0.1)
one = ps.predict(ps.Problem(signal=1, curation=rates, ridge=1), alpha=2)
other = ps.predict(ps.Problem(signal=1, curation=half, ridge=1), alpha=4)
print(f"accuracy {one.accuracy:.6f} and {other.accuracy:.6f}")

# %% [markdown]
r"""
To use the picture for a verifier with another φ, go to n/d times φ/0.9.

**Try it.** Set `ridge` to 0.1 in the first cell. A weak penalty lets the student fit wrong labels,
and you need a much better verifier. Set `signal` to 2: the task is easier, and at p = 0.3 every
verifier is good enough.

Next: the notebook `audit_csv` measures p, φ and ψ of your own verifier, and `own_simulation` checks
this theory with a simulation of your own.
"""
