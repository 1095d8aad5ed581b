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
# Is my verifier good enough? An audit from a CSV file

You have a generator that answers questions, and a verifier that keeps some of the answers. You had
a sample of the answers checked by hand. This notebook turns that sample into four decisions. The
sample here is made up, so that we know the truth and can see whether the audit finds it.

**Install.** The project is not on a package index, so you need its folder. In a terminal, inside
that folder, type `pip install -e . -c constraints.txt` (Python 3.11 or newer). On Colab or a
similar machine, upload the folder, run `%pip install ./pstar` in a cell (with the path of the
folder), and restart the kernel.

## Two files

**records.csv** has a row for each answer that was checked: its prompt, whether it is correct, and
whether the verifier keeps it. There are 150 prompts with eight answers each. Some prompts are
harder than others. A share p = 0.3 of all answers is wrong. The verifier keeps a share φ = 0.9 of
the correct ones and ψ = 0.2 of the wrong ones. The audit does not know these three numbers.

**pilot.csv** says how accurate *your* learner is after training on clean samples of a few sizes.
Ours is a simple linear classifier of points with 50 features. It is trained ten times on each of
four sizes.
"""

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import ndtr

import pstar as ps

TRUTH = ps.Rates(p=0.3, phi=0.9, psi=0.2)
CLEAN = ps.Rates(p=0, phi=1, psi=1)
PROMPTS, ANSWERS = 150, 8
MEAN = np.full(50, 1 / np.sqrt(50))  # the classes have means MEAN and -MEAN, and Gaussian noise


def records(random):
    """A row for each answer. The rates of a prompt are its own, and average to TRUTH."""
    of_prompts = [random.beta(4 * rate, 4 * (1 - rate), (PROMPTS, 1)) for rate in TRUTH]
    p, phi, psi = of_prompts
    correct = random.random((PROMPTS, ANSWERS)) > p
    kept = random.random((PROMPTS, ANSWERS)) < np.where(correct, phi, psi)
    table = pd.DataFrame({"correct": correct.ravel(), "kept": kept.ravel()})
    table["prompt"] = [f"prompt {row // ANSWERS}" for row in range(len(table))]
    return table


def student(random, n, rates):
    """The accuracy of our learner, trained on what a verifier keeps of n labels."""
    y = random.choice([-1, 1], n)
    x = y[:, None] * MEAN + random.normal(size=(n, 50))
    wrong = random.random(n) < rates.p
    kept = random.random(n) < np.where(wrong, rates.psi, rates.phi)
    w = (np.where(wrong, -y, y)[:, None] * x)[kept].mean(0)
    return ndtr(w @ MEAN / np.linalg.norm(w))


folder = Path(tempfile.mkdtemp())  # or a folder of yours
records(np.random.default_rng(1)).to_csv(folder / "records.csv", index=False)
random = np.random.default_rng(2)
runs = [(n, student(random, n, CLEAN)) for n in (20, 80, 320, 1280) for _ in range(10)]
pd.DataFrame(runs, columns=["n", "accuracy"]).to_csv(folder / "pilot.csv", index=False)

# %% [markdown]
r"""
## The four answers

They come from the two files alone. Numbers in brackets are 95% intervals.
"""

# %%
table = pd.read_csv(folder / "records.csv")
audit = ps.audit(table["correct"], table["kept"], group=table["prompt"])
budget = ps.budget(audit, generated=2000)
sizes = [50, 100, 200, 500, 2000]
forecast = ps.forecast(folder / "pilot.csv", audit, generated=sizes, errors="spread")
last = forecast.table.iloc[-1]
words = {"below": "yes", "above": "no", "undecided": "undecided"}

print("1. Is most of what it keeps correct?", words[audit.decision.verdict])
print("   Share of the kept answers that is correct:", audit.purity)
print("2. Is it better than no verifier?", audit.better.answer)
print("   Clean samples that one answer is worth:", audit.worth.verified)
print("   The same without the verifier:", audit.worth.unverified)
print("3. How many clean samples are 2,000 answers worth?", budget.worth)
print("4. Will a student of 2,000 answers beat the generator?", last["beats"])
print(f"   Its accuracy: between {last['student_low']:.3f} and {last['student_high']:.3f}")

# %% [markdown]
r"""
The command `pstar` says the same of the same files:

```
pstar audit records.csv --correct correct --kept kept --group prompt \
    --generated 2000 --pilot pilot.csv --errors spread
```

**1** asks whether p < p\*. This is necessary, and it is a low bar: it would be enough with endless
data. **2** is what you ask at finite data: does throwing away answers help more than it costs?
**3** counts in clean samples, that is in samples without wrong labels. **4** adds your learner.

## Did it find the truth?
"""

# %%
truth = {"p": 0.3, "phi": 0.9, "psi": 0.2}
truth |= {"p_star": ps.p_star(TRUTH), "purity": ps.purity(TRUTH)}
truth |= {"worth": ps.worth(TRUTH)}
found = {name: getattr(audit, name) for name in truth if name != "worth"}
found["worth"] = audit.worth.verified
checked = pd.DataFrame(found, index=["estimate", "low", "high"]).T
checked.insert(0, "truth", truth)
checked["holds"] = checked["truth"].between(checked["low"], checked["high"])
print(f"{checked['holds'].sum()} of {len(checked)} intervals hold the truth.")
checked.round(3)

# %% [markdown]
r"""
Each of them misses the truth in one file of twenty. Change the seed of `records`, and you will see
one miss now and then.

## The verifier in a picture

Every verifier is a point in this square: ψ to the right, φ upwards. A perfect one is in the upper
left corner. The upper right corner stands for no verifier, because there everything is kept.
"""

# %%
psi, phi = np.meshgrid(np.linspace(0.005, 1, 200), np.linspace(0.005, 1, 200))
p = audit.p.value
gain = ps.worth(ps.Rates(p, phi, psi)) - audit.worth.unverified.value
here = np.array([[audit.psi.value], [audit.phi.value]])
reach = np.abs([audit.psi[1:], audit.phi[1:]] - here)  # to the ends of both intervals

_, axes = plt.subplots(figsize=(8, 5))
axes.contourf(psi, phi, gain, [-1, 0], colors=["0.88"])
axes.plot([], [], "s", color="0.88", label="grey: worse than no verifier")
axes.plot([0, 1], [0, p / (1 - p)], "k--", label="below it, most of what is kept is wrong")
axes.plot([0, here[0, 0] / here[1, 0]], [0, 1], ":", label="the same p* as ours")
axes.errorbar(*here, *reach[::-1, :, None], fmt="o", label="our verifier, by the audit")
axes.plot(TRUTH.psi, TRUTH.phi, "*", markersize=12, label="our verifier, the truth")
axes.plot(1, 1, "ks", clip_on=False, label="no verifier")
axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
axes.set(xlabel="ψ, kept of the wrong answers", ylabel="φ, kept of the correct answers")
axes.legend(loc="upper left", bbox_to_anchor=(1.04, 1), frameon=False)
plt.show()

# %% [markdown]
r"""
The grey area starts far above the dashed line. In between are verifiers that pass question 1 and
fail question 2: most of what they keep is correct, but they throw away too much.

## Several answers to one prompt: why `group` matters

Eight answers to one prompt are not eight independent answers. If a prompt is hard, most of its
answers are wrong. So 1,200 answers to 150 prompts tell less than 1,200 answers to 1,200 prompts.
`group` tells the audit which answers belong together. Let us make 1,000 such files and see how much
the share of wrong answers varies.
"""

# %%
plain = ps.audit(table["correct"], table["kept"])  # as if each had a prompt of its own
random = np.random.default_rng(3)
shares = np.array([1 - records(random)["correct"].mean() for _ in range(1000)])

intervals = {"plain": plain.p, "with group": audit.p}
reached = {}
print("An interval for p, as long as that of our file, would reach the truth")
plt.hist(shares, bins=25, color="0.8", label="share of wrong answers in 1,000 files")
plt.axvline(TRUTH.p, color="black", linewidth=1, label="the truth")
for height, (name, interval) in zip((30, 15), intervals.items(), strict=True):
    half = (interval.high - interval.low) / 2
    reached[name] = (np.abs(shares - TRUTH.p) < half).mean()
    print(f"  {name:10}  {interval}   in {reached[name]:.1%} of the files")
    ends = TRUTH.p - half, TRUTH.p + half
    plt.plot(ends, (height, height), "|-", label=f"length of the interval, {name}")
plt.gca().set(xlabel="share of wrong answers", ylabel="files", ylim=(0, 180))
plt.legend(loc="upper right")
plt.show()

# %% [markdown]
r"""
## The forecast, and a check of it

Question 4 was answered without training a single student. Because this world is made up, we can
train them: 40 students for each number of answers.
"""

# %%
random = np.random.default_rng(4)
rows = forecast.table
measured = np.array([[student(random, n, TRUTH) for _ in range(40)] for n in sizes]).mean(1)
inside = (rows["student_low"] <= measured) & (measured <= rows["student_high"])
print(f"{inside.sum()} of {len(rows)} forecasts hold what was measured.")

for name, colour in (("unverified", "0.5"), ("student", "tab:blue")):
    low, high = rows[f"{name}_low"], rows[f"{name}_high"]
    plt.fill_between(rows["n"], low, high, color=colour, alpha=0.4, label=f"forecast, {name}")
plt.plot(rows["n"], measured, "ko", label="measured, mean of 40 students")
plt.axhline(1 - TRUTH.p, color="tab:red", label="generator")
plt.gca().set(xlabel="answers generated", ylabel="accuracy", xscale="log")
plt.legend()
plt.show()
shown = rows[["n", "student_low", "student_high", "beats"]]
shown.assign(measured=measured, holds=inside).round(3)

# %% [markdown]
r"""
`errors="spread"` says that the wrong answers are wrong by chance. That is so in this notebook. If
your generator is itself a trained model, leave `errors` out. A student can then learn the
generator's errors, and the forecast is a wide range: from a student that learns them all to one
that learns none.

**With your own files**, put their paths into the two places that read them. The columns may have
any names. The answers that are checked must be a random sample of *all* that the generator wrote,
kept or not. You need not check all of them: leave `correct` empty in the other rows.

Next: the notebook `own_simulation` checks the theory behind this with a simulation of your own.
"""
