"""How fast are trials, beside scikit-learn on the same problems to the same gradient?

    python benchmarks/simulation_speed.py [--seconds 4] [--quick]      (needs scikit-learn: pip install --group dev)

Every line of the first table times three programs in turn, three rounds, on all cores, the drawing of data included:
our trial with float64 and with float32 draws (one process per core with one thread, as `pstar sweep` has), and
scikit-learn under joblib (the same). Problems: independent setting, r = 1.5, p = .2, everything kept, ridge .1. Both
sides are held to the same norm of the gradient of mean loss plus penalty: ours by its certificate, scikit-learn by
lowering its `tol` until four problems are below it; of its solvers the quickest that gets there counts. Rates are
medians over the rounds. The second table draws from the exact law; the third shows how cost grows with d, n and the
number of trials.
"""

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

ONE_THREAD = {"NPROC": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JAX_ENABLE_X64": "1"}
os.environ |= ONE_THREAD | {"JAX_PLATFORMS": "cpu"}

import numpy as np  # noqa: E402
from joblib import Parallel, delayed  # noqa: E402
from record import record  # noqa: E402

SIZES = [(400, 100), (2000, 200), (4000, 800)]
SIGNAL, P, RIDGE = 1.5, 0.2, 0.1
GRADIENT = 1e-10
CORES = len(os.sched_getaffinity(0))
SOLVERS = {
    "squared": ["cholesky", "lsqr", "sparse_cg"],
    "logistic": ["newton-cholesky", "lbfgs"],
}


def drawn(seed, n, d):
    """u = y' x of one problem, as a user of scikit-learn would draw it, and the labels."""
    rng = np.random.default_rng(seed)
    label = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    x = rng.standard_normal((n, d))
    x[:, 0] += SIGNAL * np.where(rng.random(n) < P, -label, label)
    return x, label


def gradient_norm(loss, x, label, w):
    margin = label * (x @ w)
    slope = margin - 1 if loss == "squared" else -1 / (1 + np.exp(margin))
    return np.linalg.norm((label * slope) @ x / len(x) + RIDGE * w)


def scikit_learn(loss, solver, tol, seed, n, d):
    """One fit of scikit-learn, drawing included; its gradient norm."""
    from sklearn.linear_model import LogisticRegression, Ridge

    x, label = drawn(seed, n, d)
    if loss == "squared":
        model = Ridge(alpha=RIDGE * n, fit_intercept=False, solver=solver, tol=tol, max_iter=10_000)
    else:
        model = LogisticRegression(C=1 / (RIDGE * n), fit_intercept=False, solver=solver, tol=tol, max_iter=10_000)
    w = np.ravel(model.fit(x, label).coef_)
    return x, label, w


def tolerance_for(loss, solver, n, d):
    """The largest `tol`, by powers of ten, at which this solver's gradients are below GRADIENT; None if none."""
    import warnings

    for power in range(4, 17):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            worst = 0.0
            for seed in range(4):
                x, label, w = scikit_learn(loss, solver, 10.0**-power, seed, n, d)
                worst = max(worst, gradient_norm(loss, x, label, w))
        if worst <= GRADIENT:
            return 10.0**-power
        if loss == "squared" and solver == "cholesky":
            break  # direct: tol has no meaning
    return None


def many_of_theirs(loss, solver, tol, seeds, n, d):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds:
            scikit_learn(loss, solver, tol, seed, n, d)


def many_of_ours(loss, draws, seeds, n, d):
    """Trials as a worker of a sweep computes them; returns the largest gradient norm."""
    import jax

    from sims.trial import make_trials
    from theory.types import Problem, Rates

    run = make_trials(n, d, loss, draws)
    width, worst = 64, 0.0
    one = Problem(SIGNAL, Rates(P, 1.0, 1.0), RIDGE)
    batch = jax.tree.map(lambda leaf: np.full(width, leaf), one)
    for start in range(0, len(seeds), width):
        some = seeds[start : start + width]
        words = np.zeros((width, 3), np.uint32)
        words[: len(some), 2] = some
        found = jax.device_get(run(0, words, batch, len(some)))
        assert found.converged[: len(some)].all()
        worst = max(worst, float(found.gradient_norm[: len(some)].max()))
    return worst


def many_draws(seeds, n, d, ridge=RIDGE):
    """Draws from the exact law, in the batches of a sweep."""
    import jax

    from sims.exact_law import blocks_needed, run_draws
    from sims.sweeps.grid import DRAWS_TOGETHER
    from theory.types import ClassRates, Problem

    width = DRAWS_TOGETHER
    pair = lambda rate: np.full((width, 2), rate)
    batch = Problem(np.full(width, SIGNAL), ClassRates(pair(P), pair(1.0), pair(1.0), pair(0.5)), np.full(width, ridge))
    blocks = blocks_needed(batch, n, d)
    total = 0.0
    for start in range(0, len(seeds), width):
        words = np.zeros((width, 3), np.uint32)
        words[:, 2] = start + np.arange(width)
        found = jax.device_get(run_draws(int(seeds[0]), words, batch, blocks, n, d))
        assert found.converged.all()
        total += found.accuracy.sum()
    return total


def rate(pools, function, count, *arguments):
    """Calls per second over all cores, ``count`` calls to each in one go."""
    parts = [np.arange(core * count, (core + 1) * count) for core in range(CORES)]
    started = time.perf_counter()
    if function is many_of_theirs:
        pools[0](delayed(function)(*arguments[:-2], part, *arguments[-2:]) for part in parts)
    else:
        jobs = [
            pool.submit(function, *arguments[:-2], part, *arguments[-2:])
            for pool, part in zip(pools[1], parts, strict=True)
        ]
        [job.result() for job in jobs]
    return CORES * count / (time.perf_counter() - started)


def paired(pools, programs, seconds, rounds=3):
    """Median rates of several programs, timed in turn ``rounds`` times; compiled and sized beforehand."""
    counts = []
    for program in programs:
        rate(pools, program[0], 1, *program[1:])
        speed = rate(pools, program[0], 8, *program[1:])
        counts.append(max(4, int(seconds * speed / CORES)))
    speeds = [[] for _ in programs]
    for _ in range(rounds):
        for i, program in enumerate(programs):
            speeds[i].append(rate(pools, program[0], counts[i], *program[1:]))
    return [statistics.median(some) for some in speeds]


def fits(pools, sizes, seconds):
    print(f"\nFits per second, drawing included, gradient norm <= {GRADIENT:g}")
    print("loss       n     d     scikit-learn (solver, tol)          float64  ratio   float32  ratio")
    ridge_rate, rows = None, []
    for loss in ("squared", "logistic"):
        for n, d in sizes:
            best = ("none gets there", 0.0, None)
            for solver in SOLVERS[loss]:
                tol = tolerance_for(loss, solver, n, d)
                if tol is None:
                    continue
                (speed,) = paired(pools, [(many_of_theirs, loss, solver, tol, n, d)], seconds / 3, rounds=1)
                if speed > best[1]:
                    best = (f"{solver}, {tol:g}", speed, (many_of_theirs, loss, solver, tol, n, d))
            ours = [(many_of_ours, loss, draws, n, d) for draws in ("float64", "float32")]
            theirs, double, single = paired(pools, [best[2], *ours], seconds)
            if loss == "squared" and (n, d) == sizes[-1]:
                ridge_rate = double
            for draws, speed in (("float64", double), ("float32", single)):
                row = {"name": f"{loss}, n = {n}, d = {d}, {draws} draws", "fits_per_second": speed}
                rows.append(row | {"ratio": speed / theirs, "against": f"scikit-learn, {best[0]}"})
            print(
                f"{loss:8} {n:5} {d:5} {theirs:9.1f}  {best[0]:26} {double:8.1f} {double / theirs:6.2f} "
                f"{single:9.1f} {single / theirs:6.2f}",
                flush=True,
            )
    record("simulation_speed", rows)
    return ridge_rate


def exact(pools, sizes, seconds, ridge_rate):
    print("\nDraws per second from the exact law")
    print("       n         d  ridge   draws/s   time for 10^6   ratio to direct ridge, float64 draws")
    for n, d, ridge in [(*size, RIDGE) for size in sizes] + [
        (2_000_000, 1_000_000, RIDGE),
        (2_000_000, 1_000_000, 0.01),
    ]:
        count = 512 * max(1, int(seconds * 60))
        rate(pools, many_draws, 512, n, d)
        speed = statistics.median(rate(pools, _draws_with, count, ridge, n, d) for _ in range(3))
        direct = f"{speed / ridge_rate:.0f}" if ridge_rate and (n, d) == sizes[-1] else ""
        print(f"{n:8} {d:9} {ridge:6g} {speed:9.0f} {1e6 / speed:12.1f} s   {direct}", flush=True)


def _draws_with(ridge, seeds, n, d):
    return many_draws(seeds, n, d, ridge)


def growth(pools, seconds):
    print("\nHow cost grows (per trial, one core, float64 draws): ms, and ns per number drawn")
    for label, sizes in {
        "d, at n = 4 d": [(4 * d, d) for d in (25, 50, 100, 200, 400, 800)],
        "n, at d = 100": [(n, 100) for n in (50, 200, 800, 3200, 12800)],
    }.items():
        for loss in ("squared", "logistic"):
            speeds = [
                paired(pools, [(many_of_ours, loss, "float64", n, d)], seconds / 4, rounds=1)[0] for n, d in sizes
            ]
            cells = "  ".join(
                f"{n}x{d}: {1e3 * CORES / s:.3g} ({1e9 * CORES / s / n / d:.0f})"
                for (n, d), s in zip(sizes, speeds, strict=True)
            )
            print(f"  {loss:8} {label}: {cells}", flush=True)
    lengths = [64, 512, 4096]
    times = []
    for length in lengths:
        rate(pools, many_of_ours, 1, "squared", "float64", 400, 100)
        times.append(rate(pools, many_of_ours, length, "squared", "float64", 400, 100))
    print(
        "  number of trials at 400 x 100, trials/s: "
        + "  ".join(f"{a}: {b:.0f}" for a, b in zip(lengths, times, strict=True))
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=4.0, help="time of one measurement")
    options.add_argument("--quick", action="store_true", help="smallest size only")
    given = options.parse_args()
    import jax
    import scipy
    import sklearn

    about = (
        f"jax {jax.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}, scipy {scipy.__version__}"
    )
    print(f"{about}, Python {platform.python_version()}, {CORES} cores, load {os.getloadavg()[0]:.1f}", file=sys.stdout)
    sizes = SIZES[:1] if given.quick else SIZES
    ours = [ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) for _ in range(CORES)]
    with Parallel(n_jobs=CORES, backend="loky") as theirs:
        pools = (theirs, ours)
        ridge_rate = fits(pools, sizes, given.seconds)
        exact(pools, sizes, given.seconds, ridge_rate)
        growth(pools, given.seconds)
    for pool in ours:
        pool.shutdown()


if __name__ == "__main__":
    main()
