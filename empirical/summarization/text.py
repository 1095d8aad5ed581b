"""The report as text: findings at a glance, gates, the table, contrasts with what explains them, p*, and the limits."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization.findings import NEGLIGIBLE

WIDTH = 116
NAMES = {
    "full": "full data",
    "full-epoch": "full, one epoch*",
    "verifier-stronger": "stronger itself",
    "verifier-foreign": "foreign itself",
}
VERIFIERS = {
    "random": "chance",
    "self": "the generator's own perplexity",
    "stronger": "perplexity of a better model (made here: the same base, trained longer on other articles)",
    "foreign": "perplexity of a model of another family (other tokenizer, loss on the article too)",
    "oracle": "ROUGE-1 against the reference, which nobody has in practice",
}
ROLES = {"claim": "", "control": "control: ", "precondition": "premise: "}
WANTED = {"above": "above", "below": "below", "no better": "no better than"}
SLOT = " is right"
"""How the names of gates on slots end."""

Tables = Mapping[str, pd.DataFrame]


def text(tables: Tables, profile: Mapping[str, Any]) -> str:
    """All of it, ready to print; every number is one of the tables'."""
    parts = [_head(tables, profile), _glance(tables), _gates(tables), _table(tables["rows"])]
    parts += [_findings(tables), _p_star(tables), _limits(tables, profile)]
    return "\n\n".join(filter(None, ("\n".join(part) for part in parts)))


def _say(words: str, mark: str = "") -> str:
    """Prose in lines of WIDTH; under a mark such as "- " it is indented."""
    return textwrap.fill(words, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark))


def name_of(arm: str, verifier: str = "", rate: float = np.nan) -> str:
    """An arm in words."""
    name = verifier or NAMES.get(arm, arm)
    return name if np.isnan(rate) else f"{name} {_percent(rate)}"


def _percent(rate: float) -> str:
    return f"{100 * rate:g} %"


def _head(tables: Tables, profile: Mapping[str, Any]) -> Iterator[str]:
    pool, first = tables["pool"], tables["rows"].iloc[0]
    data = "made-up stories" if len(tables["gates"]) else f"data {profile['data']['source']}"
    rates = ", ".join(_percent(rate) for rate in sorted(profile["selection"]["rates"]))
    seeds = "1 seed" if first["seeds"] == 1 else f"{first['seeds']} seeds"
    yield _say(
        f"Summarization, preset {profile['name']}: {data}. A generator trained on {_each(pool, 'generator_articles')} "
        f"articles with their reference summaries summarized {_each(pool, 'pool_articles')} others; every verifier "
        f"kept {rates} of these, and the base model was trained again on what was kept. {seeds}, "
        f"{_each(pool, 'test_articles')} test articles each."
    )
    groups = [name for name in tables["rows"]["verifier"].unique() if name in VERIFIERS]
    yield _say("Verifiers: " + "; ".join(f"{name}: {VERIFIERS[name]}" for name in groups) + ".")
    quality = " / ".join(f"{pool[kind].mean():.1f}" for kind in ("rouge1", "rouge2", "rougeL"))
    counts = ", ".join(f"{_each(pool, name)} {name}" for name in ("distinct", "duplicates", "capped", "empty"))
    yield _say(f"Generated summaries (per seed): ROUGE-1/2/L {quality}; {counts}.")


def _each(pool: pd.DataFrame, name: str) -> str:
    """A count per seed, as a range where seeds differ."""
    low, high = int(pool[name].min()), int(pool[name].max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _glance(tables: Tables) -> Iterator[str]:
    yield f"{'The findings of Feng et al. (2024), here':48}{'':20}{'ROUGE-1 difference':>21}"
    for _, line in tables["findings"].iterrows():
        words = f"{line['number']:3} {line['short']:44}{line['verdict'].upper():>20}"
        if line["verdict"] != "not run":
            words += f"{_gain(line):>21} {name_of(line['side'])} - {name_of(line['other'])}"
        yield words.rstrip()
        if line["verdict"] == "seen in part":
            yield _say(f"but {_rest(tables['contrasts'], line['finding'])}", "    ")


def _rest(lines: pd.DataFrame, finding: str) -> str:
    """The statements of a finding that are not seen."""
    part = lines[(lines["finding"] == finding) & (lines["role"] == "claim") & lines["headline"]]
    return "; ".join(
        f"{name_of(line['side'])} {WANTED[line['wanted']]} {name_of(line['other'])}: {line['reading']}"
        for _, line in part[part["reading"] != "seen"].iterrows()
    )


def _gates(tables: Tables) -> Iterator[str]:
    gates = tables["gates"]
    if gates.empty:
        return
    yield f"{'Gates: is the made-up corpus a fair test?':44}{'per seed':34}{'wanted':22}passed"
    for gate, part in gates.groupby("gate", sort=False):
        values = ", ".join("-" if pd.isna(value) else f"{value:.3g}" for value in part["value"])
        wanted = part["wanted"].iloc[0]
        yield f"  {str(gate):42}{values:34}{'-' if pd.isna(wanted) else wanted!s:22}{_passed(part['passed'])}".rstrip()
    for words in _meaning(gates, tables["rows"]):
        yield _say(words)


def _passed(passed: pd.Series) -> str:
    known = passed.dropna().astype(bool)
    if known.empty:
        return ""
    return "passed" if known.all() else f"passed in {known.sum()} of {len(known)}" if known.any() else "failed"


def _meaning(gates: pd.DataFrame, rows: pd.DataFrame) -> Iterator[str]:
    """What follows from the gates that fail, and how much room there is above the students."""
    means = gates.assign(value=gates["value"].astype(float)).groupby("gate", sort=False)["value"].mean()
    failed = [gate for gate, part in gates.groupby("gate", sort=False) if part["passed"].eq(False).any()]
    high = [gate for gate in failed if str(gate).endswith(SLOT) and means[gate] > 0.8]
    words = f"Gates failed in at least one seed: {', '.join(map(str, failed))}." if failed else ""
    if high:
        words += (
            f" Slots are right in {_whole(means[high].min())} or more: names and numbers are nearly all right; what "
            "verifiers can tell apart are noisy references, wording and events."
        )
    words += "".join(
        f" A constant output gets {means[gate]:.1f} points, so that boilerplate earns little here."
        for gate in failed
        if str(gate).endswith("constant output") and means[gate] < 25
    )
    perfect = [value for gate, value in means.items() if str(gate).endswith("perfect content")]
    students = rows.loc[rows["verifier"] != ""].dropna(subset=["rouge1"])
    if perfect and len(students):
        best = students.loc[students["rouge1"].idxmax()]
        name = name_of(best["arm"], best["verifier"], best["rate"])
        words += (
            f" Students reach {best['rouge1']:.1f} ({name}) of the {perfect[0]:.1f} points that perfect content gets: "
            "no verifier can show more than that."
        )
    if words:
        yield words.strip()


def _table(rows: pd.DataFrame) -> Iterator[str]:
    seeds = rows["seeds"].iloc[0]
    over = f"t over the {seeds} seeds" if seeds > 1 else "paired, over test articles"
    yield f"ROUGE-1 (F1, points) on the test articles, 95 % intervals over these; differences: {over}"
    yield (f"{'':16}{'exam-':>7}{'':6}{'':18}{'minus':>21}{'':7}{'minus':>21}{'':7}{'p*':>5}{'kept':>6}")
    yield (
        f"{'':16}{'ples':>7}{'passes':>7}{'ROUGE-1':>17}{'generator':>21}{'':7}{'random':>21}{'':7}{'soft':>5}{'R1':>6}"
    )
    for _, line in rows.iterrows():
        name = name_of(line["arm"], line["verifier"], line["rate"])
        mean = f"{_number(line['rouge1'])} {_interval(line, 'rouge1_low', 'rouge1_high')}"
        words = f"{name:16}{line['examples']:7,.0f}{_number(line['passes']):>6} {mean:>17}"
        for other in ("generator", "random"):
            words += f" {_gain(line, f'_{other}'):>20} {_mark(line.get(f'verdict_{other}')):6}"
        if line["verifier"]:
            words += f"{_share(line['p_star_soft']):>5}{_number(line['kept_rouge1']):>6}"
        yield words.rstrip()
        if line["failure"]:
            yield _say(f"failed: {line['failure']}", "    ")
    yield _say(
        "better, worse: the interval of the difference excludes 0, and the two intervals of ROUGE-1 are apart (not "
        f"corrected for the number of comparisons). passes: over the examples. {_steps(rows)}"
    )


def _mark(verdict: Any) -> str:
    return verdict if verdict in ("better", "worse", "failed") else ""


def _steps(rows: pd.DataFrame) -> str:
    """Steps of the most arms, and who takes others."""
    counts = rows["steps"].round().astype(int)
    usual = counts.mode().iloc[0]
    groups = rows.assign(steps=counts)[counts != usual].groupby("steps")
    others = "; ".join(
        f"{', '.join(name_of(row['arm'], row['verifier'], row['rate']) for _, row in part.iterrows())}: {steps:,}"
        for steps, part in groups
    )
    unmatched = "; *: not matched" if "full-epoch" in set(rows["arm"]) else ""
    return f"Steps: {usual:,}{f' ({others})' if others else ''}{unmatched}."


def _gain(line: pd.Series, suffix: str = "") -> str:
    value = line.get(f"difference{suffix}", np.nan)
    verdict = line.get(f"verdict{suffix}", "")
    if pd.isna(value):
        return "NaN" if verdict == "failed" else ""
    return f"{_number(value, '+')} {_interval(line, f'low{suffix}', f'high{suffix}')}"


def _findings(tables: Tables) -> Iterator[str]:
    yield f"{'In detail: means of rates, and what differs':45}{'difference':>20}{'seeds':>9}  reading"
    for _, finding in tables["findings"].iterrows():
        part = tables["contrasts"]
        part = part[part["finding"] == finding["finding"]] if len(part) else part
        for place, (_, of_claim) in enumerate(part.groupby(["side", "other"], sort=False)):
            yield _claim(of_claim, finding["number"] if place == 0 else "")
        if len(part) and finding["verdict"] != "failed":
            yield _say(_why(finding["finding"], tables), "    - ")
    for words in _order(tables["orders"], tables["rows"]):
        yield _say(words)


def _claim(part: pd.DataFrame, number: str) -> str:
    """A statement by its mean over rates; for all but controls also the rates that say something else."""
    line, each = part[part["headline"]].iloc[0], part[~part["headline"]]
    what = f"{number:3} {ROLES[line['role']]}{name_of(line['side'])} {WANTED[line['wanted']]} {name_of(line['other'])}"
    what += "" if np.isnan(line["rate"]) else f", {_percent(line['rate'])}"
    said = line["reading"]
    if line["role"] != "control":
        for reading, others in each[each["reading"] != said].groupby("reading", sort=False):
            rates = ", ".join(f"{100 * rate:g}" for rate in others["rate"])
            said += f"; at {rates} % {'overlap' if reading == 'undecided (overlap)' else reading}"
    seeds = f"{line['above']} / {line['below']}"
    return textwrap.fill(f"{what:45}{_gain(line):>20}{seeds:>9}  {said}", WIDTH, subsequent_indent=" " * 78)


def _why(finding: str, tables: Tables) -> str:
    """What p* and the kept summaries say to a finding, at the smallest rate; nothing but numbers."""
    rows, pool = tables["rows"], tables["pool"]
    part = rows[rows["verifier"] == finding].sort_values("rate")
    line = part.iloc[0]
    clean = f", clean {_share(line['p_star_soft_clean'])}" if "p_star_soft_clean" in line else ""
    words = (
        f"{finding} {_percent(line['rate'])}: p* soft {_share(line['p_star_soft'])}{clean}; kept R1 "
        f"{_number(line['kept_rouge1'])} (all {pool['rouge1'].mean():.1f}); distinct {_whole(line['distinct_share'])}"
    )
    if finding == "random":
        generator = rows[rows["arm"] == "generator"].iloc[0]
        steps = sorted({*part["steps"], generator["steps"]})
        words += (
            f". Random: {_list(part['examples'])} own summaries; the generator: {generator['examples']:,.0f} "
            f"references; {' to '.join(f'{end:,.0f}' for end in dict.fromkeys((steps[0], steps[-1])))} steps each"
        )
        words += _own_words(tables["p_star"], pool)
    common = float(pool["commonest"].mean())
    if abs(line["commonest"] - common) >= 0.01:
        words += f"; 8 commonest {100 * line['commonest']:.1f} % (all {100 * common:.1f})"
    return f"{words}."


def _own_words(points: pd.DataFrame, pool: pd.DataFrame) -> str:
    """What the generator leaves out of its summaries; nothing where it is not known which references are noisy."""
    clean = points.loc[points["reading"] == "soft-clean", "p"]
    if clean.empty:
        return ""
    return (
        f". Its summaries get {100 * (1 - clean.iloc[0]):.1f} points on clean references, {pool['rouge1'].mean():.1f} "
        "on all: what it writes is cleaner than what it was trained on"
    ) * bool(100 * (1 - clean.iloc[0]) > pool["rouge1"].mean())


def _order(orders: pd.DataFrame, rows: pd.DataFrame) -> Iterator[str]:
    """Verifiers by p* and by what their students are worth."""
    chains = {}
    for by, part in orders.groupby("by"):
        links = [" > " if above else " = " for above in part["above_next"]]
        chains[by] = "".join(f"{name}{link}" for name, link in zip(part["verifier"], links, strict=True))[:-3]
    clean = " (clean)" if "p_star_soft_clean" in rows else ""
    if len(chains) == 2:
        yield (
            f"By soft p*{clean}: {chains['p*']}. By students: {chains['students']} (=: neighbours that are not told "
            "apart)."
        )


def _list(values: pd.Series, form: str = ",.0f") -> str:
    """Values by rate, or one where all are the same."""
    shown = [_number(value, form=form) for value in values]
    return shown[0] if len(set(shown)) == 1 else " / ".join(shown)


def _p_star(tables: Tables) -> Iterator[str]:
    rows, points = tables["rows"], tables["p_star"]
    firsts = points.groupby("reading").first()
    clean = "soft-clean" in firsts.index
    cut = firsts.loc["threshold"]
    yield _say(
        "p* = phi/(phi + psi) on generated summaries, pooled over seeds, and what is kept; p: share of summaries that "
        f"is wrong. soft: wrong to the degree 1 - ROUGE-1, p = {firsts.loc['soft', 'p']:.3f}; threshold: wrong where "
        f"ROUGE-1 < {cut['threshold']:g}, p = {cut['p']:.3f}. Both readings are ours."
    )
    if clean:
        yield _say(
            f"clean: without noisy references, p = {firsts.loc['soft-clean', 'p']:.3f} and "
            f"{firsts.loc['threshold-clean', 'p']:.3f}. {_percent(round(tables['pool']['noisy'].mean(), 3))} of the "
            "references are noisy; against these a right summary counts as wrong, and the oracle sees which they are."
        )
    cells = {"phi": 5, "psi": 5, "p* soft": 22, "by seed": 11, "p* clean": 22, "thr.": 6, "clean": 6}
    cells |= {"dist.": 6, "8 com": 6, "orac.": 6, "noisy": 6}
    if not clean:
        cells = {name: width for name, width in cells.items() if name not in ("p* clean", "clean", "noisy")}
    yield f"{'':15}" + "".join(f"{name:>{width}}" for name, width in cells.items())
    means = points[points["reading"] == "soft"].assign(group=lambda table: [_group(v, rows) for v in table["verifier"]])
    means = means.groupby(["group", "rate"])[["phi", "psi"]].mean()
    for _, line in rows[rows["verifier"] != ""].iterrows():
        shown = {name: _share(value) for name, value in means.loc[(line["verifier"], line["rate"])].items()}
        shown["p* soft"] = _star(line, "soft")
        shown["by seed"] = f"{_share(line['p_star_soft_seed_min'])}-{_share(line['p_star_soft_seed_max'])}"
        shown["thr."] = _share(line["p_star_threshold"])
        if clean:
            shown |= {"p* clean": _star(line, "soft_clean"), "clean": _share(line["p_star_threshold_clean"])}
        kept = {"dist.": "distinct_share", "8 com": "commonest", "orac.": "overlap_with_oracle", "noisy": "noisy"}
        shown |= {name: _whole(line[column]) for name, column in kept.items()}
        yield f"{name_of('', line['verifier'], line['rate']):15}" + "".join(
            f"{shown[name]:>{width}}" for name, width in cells.items()
        )
    yield _say(
        "by seed: its range over seeds. thr.: threshold. Of what is kept, dist.: distinct; 8 com: the 8 summaries that "
        "the generator writes most often; orac.: also kept by the oracle (chance: the rate)"
        + ("; noisy: with a noisy reference." if clean else ".")
    )
    yield _say(_rule(rows[rows["verifier"] != ""]))
    lost = points[points["unscored"] > 0].drop_duplicates("verifier")
    if len(lost):
        counts = ", ".join(f"{name} {count:,}" for name, count in zip(lost["verifier"], lost["unscored"], strict=True))
        yield _say(f"Summaries without a score, never kept: {counts} of {int(firsts.loc['soft', 'records']):,}.")


def _group(verifier: str, rows: pd.DataFrame) -> str:
    """The name under which a verifier is reported: that of a draw is random."""
    return verifier if verifier in set(rows["verifier"]) else "random"


def _star(line: pd.Series, reading: str) -> str:
    low, high = (_share(line[f"p_star_{end}_{reading}"], 3) for end in ("low", "high"))
    return f"{_share(line[f'p_star_{reading}'], 3)} [{low}, {high}]"


def _rule(part: pd.DataFrame) -> str:
    """On how many lines p < p*, and what students gain there."""
    lines = len(part)
    decided = {word: part[part["rule_soft"] == word] for word in ("below", "above", "undecided")}
    said = [
        f"{sign} on {len(found)} of {lines} lines ({_gains(found)})"
        for sign, found in zip(("p < p*", "p > p*", "undecided"), decided.values(), strict=True)
        if len(found)
    ]
    words = f"The rule, by the interval of soft purity: {'; '.join(said)}."
    if any(len(found) == lines for found in decided.values()) and part["verdict_generator"].nunique() > 1:
        words += " Here the rule does not say who gains."
    return words


def _gains(found: pd.DataFrame) -> str:
    counts = found["verdict_generator"].value_counts()
    shown = [
        f"{counts[verdict]} {verdict}" for verdict in ("better", "worse", "undecided", "failed") if verdict in counts
    ]
    return f"students against the generator: {', '.join(shown)}"


def _limits(tables: Tables, profile: Mapping[str, Any]) -> Iterator[str]:
    yield "Limits"
    for letter, words in zip("abcdefgh", _doubts(tables, profile), strict=False):
        yield _say(words, f"({letter}) ")


def _doubts(tables: Tables, profile: Mapping[str, Any]) -> Iterable[str]:
    rows, noise = tables["rows"], tables["noise"].iloc[0]
    seeds = int(rows["seeds"].iloc[0])
    bases = "The base model, its tokenizer and the foreign base are made once and shared by all seeds"
    if seeds == 1:
        yield _one_seed(noise)
    else:
        made = " (made models: from seed 0's articles)" if profile["base"]["name"] == "made" else ""
        yield (
            f"Differences: Student's t over {seeds} seeds. 'Overlap': only the ROUGE intervals forbid a verdict. "
            f"{bases}{made}: t does not cover them."
        )
    yield "Students differ from the generator also in number of examples and passes, and in whose words they learn."
    stemmer = "with" if profile["evaluation"]["stemmer"] else "without"
    yield (
        f"ROUGE by rouge-score, F1, {stemmer} Porter's stemmer (worth about a point on English news). 'Not seen', and "
        f"'seen' of being no better: the interval leaves less than {NEGLIGIBLE:g} point."
    )
    yield (
        "p*: summaries count as independent, verifiers as given (but see by seed). Empty summaries have no score, also "
        "for random and the oracle. How the publication defines correct is not readable. Random: means over its draws."
    )
    if len(tables["gates"]):
        yield "Stories are made up, models tiny: compare orderings with the published ones, not levels of ROUGE."


def _one_seed(noise: pd.Series) -> str:
    words = "One seed: intervals are over test articles (paired bootstrap) and speak of these models only."
    if np.isnan(noise["points"]):
        return f"{words} How far other models would differ, a single draw of random does not tell."
    return (
        f"{words} Others would differ; how far, the draws of random tell: standard deviation of a student's ROUGE-1 "
        f"{noise['points']:.2f} points, {noise['freedom']} degrees of freedom."
    )


def _number(value: float, sign: str = "", form: str = ".1f") -> str:
    return "NaN" if np.isnan(value) else f"{value:{sign}{form}}"


def _share(value: float, digits: int = 2) -> str:
    return "NaN" if np.isnan(value) else f"{value:.{digits}f}"


def _whole(value: float) -> str:
    """A share in per cent."""
    return "-" if np.isnan(value) else f"{100 * value:.0f} %"


def _interval(line: pd.Series, low: str, high: str) -> str:
    """Without decimals where numbers are long."""
    ends = [float(line[low]), float(line[high])]
    if np.isnan(ends[0]):
        return "-"
    digits = 0 if max(map(abs, ends)) >= 100 else 1
    return f"[{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"
