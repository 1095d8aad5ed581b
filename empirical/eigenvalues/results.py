"""The last stage: evaluations of all repetitions become tables, and the tables a report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from empirical.auditing.binary import audit
from empirical.eigenvalues.beside import collapse, crossings, predictions
from empirical.eigenvalues.estimates import accuracy, difference
from empirical.eigenvalues.measured import Measured, Read, gain, percent, reader
from empirical.eigenvalues.plan import noisy
from empirical.eigenvalues.steps import FACTS, LABELS
from empirical.eigenvalues.text import text
from empirical.reports import write_report
from empirical.tensors import read_arrays

LEAST_SEEN = 30
"""True answers with fewer synthetic matrices say nothing about which wrong answer is the commonest."""


def report(settings: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path, runtime: Mapping[str, Any]) -> None:
    """Write tables/*.csv, report.json and report.txt."""
    profile = settings["profile"]
    seeds = range(profile["run"]["seeds"])

    read = reader(inputs, len(seeds))
    rows, each = _rows(profile, read)
    points, gains = _p_star(profile, read, inputs)
    beside = predictions(profile, points, read)
    tables = {"rows": rows, "seeds": each, "p_star": points, "predictions": beside}
    tables |= {"crossing": crossings(points, gains, beside), "collapse": collapse(profile, points, read)}
    tables |= {"labels": _labels(profile, inputs)}
    facts = [json.loads((inputs[f"seed{seed}/data"] / FACTS).read_bytes())["rounding"] for seed in seeds]
    rounding = {name: float(np.mean([fact[name] for fact in facts])) for name in facts[0]}
    about = {"profile": profile, "rounding": rounding}
    write_report(folder, tables, about, text(tables, profile, rounding))


def _rows(profile: Mapping[str, Any], read: Read) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of the poster, one line per row and tolerance; and the same for every repetition."""
    selection = profile["selection"]
    published = _published()
    named: list[tuple[str, int, str, Measured]] = [("generator_greedy", 1, "generator", read("generator"))]
    widths = [beams for beams in profile["evaluation"]["beams"] if beams > 1]
    named += [("best_of_beam_oracle", beams, "generator", read("generator", beams, "best")) for beams in widths]
    named += [("top_beam_own_likelihood", beams, "generator", read("generator", beams)) for beams in widths]
    named += [("trained_no_selection", 1, "student", read("retrain-none"))]
    named += [("trained_data_selection", 1, "student", read("retrain-data"))]
    for beams in sorted(selection["label_beams"], reverse=True):
        named.append(("trained_label_selection", beams, "student", read(f"retrain-label-beam{beams}")))
    if beams := selection["self_beam"]:
        named.append(("trained_self_likelihood", beams, "student", read(f"retrain-likely-beam{beams}")))
    named += [("trained_true_labels", 1, "student", read("retrain-true"))]
    lines, each = [], []
    generator = named[0][3]
    for row, beams, role, found in named:
        for tolerance in profile["evaluation"]["tolerances"]:
            hits, base = found.hits(tolerance), generator.hits(tolerance)
            within = round(100 * tolerance, 6)
            about = {"row": row, "beam": beams if beams > 1 else pd.NA, "tolerance_percent": within}
            stands_for = _stands_for(profile, row, beams)
            line = about | percent(accuracy(hits)._asdict())
            if row != "generator_greedy":
                line |= gain(difference(hits, base))
            line |= {
                "published": published.get((row, stands_for, within), np.nan),
                "published_beam": stands_for or pd.NA,
            }
            line |= {"steps": found.steps, "examples": found.examples, "role": role, "failure": found.failure}
            line |= {"batch": profile["training"]["batch"], "optimizer": optimizer(profile)}
            lines.append(line | {"seeds": len(hits), "tests": hits.shape[1]})
            for seed in range(len(hits)):
                ours, theirs = 100 * hits[seed].mean(), 100 * base[seed].mean()
                each.append(about | {"seed": seed, "accuracy": ours, "generator": theirs})
    return pd.DataFrame(lines), pd.DataFrame(each)


def optimizer(profile: Mapping[str, Any]) -> str:
    """What moved the models, in words."""
    rate, muon = profile["training"]["learning_rate"], profile["optimizer"]
    if muon["matrices"] == "adamw":
        return f"AdamW ({rate:g})"
    return f"Muon ({muon['learning_rate']:g}) for matrices and AdamW ({rate:g})"


def _stands_for(profile: Mapping[str, Any], row: str, beams: int) -> int:
    """Published width that stands beside ours; 0 for rows without beams. By own likelihood all widths agree."""
    if beams == 1:
        return 0
    selection = profile["selection"]
    widest = beams == max(selection["label_beams"], default=0)
    return selection["published_beam"] if widest or row == "top_beam_own_likelihood" else beams


def _published() -> dict[tuple[str, int, float], float]:
    table = pd.read_csv(Path(__file__).parent / "published.csv")
    keys = zip(table["row"], table["beam"].fillna(0).astype(int), table["tolerance_percent"], strict=True)
    return dict(zip(keys, table["accuracy_percent"], strict=True))


def _p_star(profile: Mapping[str, Any], read: Read, inputs: Mapping[str, Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One line per verifier of greedy answers, by measured p*; and gain over the generator, (seeds, verifiers)."""
    selection = profile["selection"]
    tolerance, seeds = selection["tolerance"], range(profile["run"]["seeds"])
    names = [("none", 1.0, 1.0), ("data", 1.0, 0.0)]
    names += [(noisy(phi, psi).name, phi, psi) for phi, psi in selection["noisy"]]
    base = read("generator").hits(tolerance)
    lines, gains = [], {}
    for name, phi, psi in names:
        labels = [read_arrays(inputs[f"seed{seed}/verify-{name}"] / LABELS, "correct", "kept") for seed in seeds]
        good, kept = (np.concatenate([part[key] for part in labels]).astype(bool) for key in ("correct", "kept"))
        found, student = audit(good, kept), read(f"retrain-{name}")
        hits = student.hits(tolerance)
        line: dict[str, Any] = {"student": name, "phi": phi, "psi": psi, "p_star_nominal": phi / (phi + psi)}
        for rate in ("p", "phi", "psi", "kept_rate", "purity", "p_star"):
            value = getattr(found, rate)
            line |= {f"{rate}_hat": value.value, f"{rate}_low": value.low, f"{rate}_high": value.high}
        line |= {"rule": found.decision.verdict} | percent(accuracy(hits)._asdict()) | gain(difference(hits, base))
        line |= {f"generator_{key}": value for key, value in percent(accuracy(base)._asdict()).items()}
        lines.append(line | {"examples": student.examples, "steps": student.steps, "failure": student.failure})
        gains[name] = 100 * (hits.mean(1) - base.mean(1))
    table = pd.DataFrame(lines).sort_values("p_star_hat", ignore_index=True)
    return table, pd.DataFrame(gains)


def _labels(profile: Mapping[str, Any], inputs: Mapping[str, Path]) -> pd.DataFrame:
    """How wrong answers spread: per repetition, how often the true answer beats the commonest wrong one.

    With many answers that decides what endless labels would teach, and no longer p < p*. Over true answers with at
    least LEAST_SEEN synthetic matrices, weighted by their number.
    """
    lines = []
    for seed in range(profile["run"]["seeds"]):
        answers = read_arrays(inputs[f"seed{seed}/verify-none"] / LABELS, "labels")["labels"]
        true = read_arrays(inputs[f"seed{seed}/verify-true"] / LABELS, "labels")["labels"]
        lines.append({"seed": seed} | _plurality(answers, true))
    return pd.DataFrame(lines)


def _plurality(answers: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Shares of matrices by their true answer: exact, commonest wrong answer, and where the exact one is commonest."""
    joint, counts = np.unique(np.concatenate([true, answers], axis=1), axis=0, return_counts=True)
    length = true.shape[1]
    _, kind = np.unique(joint[:, :length], axis=0, return_inverse=True)
    exact = (joint[:, :length] == joint[:, length:]).all(1)
    total = np.bincount(kind, counts)
    right = np.bincount(kind, counts * exact)
    wrong = np.zeros(len(total))
    np.maximum.at(wrong, kind, counts * ~exact)
    seen = total >= LEAST_SEEN
    weight = total[seen].sum()
    names = {"true_answers": int(len(total)), "seen_often": int(seen.sum()), "weight": float(weight / len(true))}
    if not weight:
        return names | dict.fromkeys(("exact", "commonest_wrong", "plurality"), np.nan)
    shares = {"exact": right, "commonest_wrong": wrong, "plurality": total * (right > wrong)}
    return names | {name: float(value[seen].sum() / weight) for name, value in shares.items()}
