"""The report as text: the table, the four findings with what explains them, p*, what was kept, and the limits."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization.findings import NEGLIGIBLE

WIDTH = 116
MARKS = {"better": "+", "worse": "-", "undecided": "?", "failed": "!"}
NAMES = {
    "full": "full data",
    "full-epoch": "full, one epoch *",
    "verifier-stronger": "stronger model itself",
    "verifier-foreign": "foreign model itself",
}
DOUBT = 0.05
"""p-value below which the report doubts the assumption behind its intervals."""
ROLES = {"claim": "", "control": "control: ", "precondition": "given: "}
WANTED = {"above": "above", "below": "below", "no better": "no better than"}

Tables = Mapping[str, pd.DataFrame]


def text(tables: Tables, profile: Mapping[str, Any]) -> str:
    """All of it, ready to print; every number is one of the tables'."""
    parts = [_head(tables, profile), _gates(tables["gates"]), _table(tables["rows"]), _findings(tables)]
    parts += [_p_star(tables["p_star"]), _kept(tables), _limits(tables, profile)]
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
    quality = " / ".join(f"{pool[kind].mean():.1f}" for kind in ("rouge1", "rouge2", "rougeL"))
    counts = ", ".join(f"{_each(pool, name)} {name}" for name in ("distinct", "duplicates", "capped", "empty"))
    yield _say(f"Generated summaries (per seed): ROUGE-1/2/L {quality}; {counts}.")


def _each(pool: pd.DataFrame, name: str) -> str:
    """A count per seed, as a range where seeds differ."""
    low, high = int(pool[name].min()), int(pool[name].max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _gates(gates: pd.DataFrame) -> Iterator[str]:
    if gates.empty:
        return
    yield f"{'Gates: is the made-up corpus a fair test?':44}{'per seed':34}{'wanted':22}passed"
    for gate, part in gates.groupby("gate", sort=False):
        values = ", ".join("-" if pd.isna(value) else f"{value:.3g}" for value in part["value"])
        wanted = part["wanted"].iloc[0]
        passed = part["passed"].dropna()
        counted = f"{int(passed.astype(bool).sum())} of {len(part)}" if len(passed) else "-"
        yield f"  {str(gate):42}{values:34}{'-' if pd.isna(wanted) else wanted!s:22}{counted}"


def _table(rows: pd.DataFrame) -> Iterator[str]:
    yield "ROUGE-1 (F1, points) on the test articles, with 95 % intervals over test articles; differences with theirs"
    yield (f"{'':22}{'':6}{'exam-':>8}{'':18}{'minus':>20}{'minus':>20}{'p*':>6}{'p*':>5}{'kept':>6}{'dist-':>6}")
    yield (
        f"{'':22}{'steps':>6}{'ples':>8}{'ROUGE-1':>18}{'generator':>20}{'random':>20}{'soft':>6}{'thr.':>5}"
        f"{'R1':>6}{'inct':>6}"
    )
    for _, line in rows.iterrows():
        name = name_of(line["arm"], line["verifier"], line["rate"])
        mean = f"{_number(line['rouge1'])} {_interval(line, 'rouge1_low', 'rouge1_high')}"
        words = f"{name:22}{line['steps']:6,.0f}{line['examples']:8,.0f}{mean:>18}"
        words += f"{_gain(line, 'generator'):>20}{_gain(line, 'random'):>20}"
        if line["verifier"]:
            words += f"{_share(line['p_star_soft']):>6}{_share(line['p_star_threshold']):>5}"
            words += f"{_number(line['kept_rouge1']):>6}{_whole(line['distinct_share']):>6}"
        yield words.rstrip()
        if line["failure"]:
            yield _say(f"failed: {line['failure']}", "    ")
    yield _say(
        "+ better, - worse: the interval of the difference excludes 0, and the two intervals of ROUGE-1 are apart; "
        "? undecided; ! failed. Each verdict is for itself, uncorrected for their number. thr.: threshold reading."
    )
    if "full-epoch" in set(rows["arm"]):
        yield "* not matched: it takes as many steps as one epoch of the full data needs."


def _gain(line: pd.Series, other: str) -> str:
    value = line.get(f"difference_{other}", np.nan)
    verdict = line.get(f"verdict_{other}")
    if pd.isna(verdict):
        return ""
    return f"{_number(value, '+')} {_interval(line, f'low_{other}', f'high_{other}')}{MARKS[verdict]}"


def _findings(tables: Tables) -> Iterator[str]:
    yield f"{'The published findings, here':50}{'difference':>20}{'t':>17}{'seeds':>8}  reading"
    yield f"{'':87}{'+ / -':>8}"
    for _, finding in tables["findings"].iterrows():
        yield _say(f"{finding['title']}: {finding['verdict'].upper()}", f"{finding['number'] + '.':4}")
        part = tables["contrasts"]
        part = part[part["finding"] == finding["finding"]] if len(part) else part
        for _, of_claim in part.groupby(["side", "other"], sort=False):
            yield from _claim(of_claim)
        if len(part):
            for words in _why(finding["finding"], tables):
                yield _say(words, "    - ")
        yield ""
    yield _say(
        "difference: ROUGE-1 of the first side minus the second, with its interval, see (a) below; t: the interval "
        "from the seeds of this line alone, as a check. Controls do not count; what is given must be seen."
    )


def _claim(part: pd.DataFrame) -> Iterator[str]:
    """A statement by its mean over rates, with the rates that say the same counted, and at each rate."""
    head, each = part[part["headline"]].iloc[0], part[~part["headline"]]
    what = f"  {ROLES[head['role']]}{name_of(head['side'])} {WANTED[head['wanted']]} {name_of(head['other'])}"
    if len(each) == 1:
        yield _contrast(head, what + ("" if np.isnan(head["rate"]) else f", {_percent(head['rate'])}"))
        return
    same = int((each["reading"] == head["reading"]).sum())
    yield f"{_contrast(head, f'{what}, mean')} (at {same} of {len(each)})"
    for _, line in each.iterrows():
        yield _contrast(line, f"      at {_percent(line['rate'])}")


def _contrast(line: pd.Series, what: str) -> str:
    gain = f"{_number(line['difference'], '+')} {_interval(line, 'low', 'high', '+')}"
    seeds = f"{line['above']} / {line['below']}"
    return f"{what:50}{gain:>20}{_interval(line, 't_low', 't_high', '+'):>17}{seeds:>8}  {line['reading']}"


def _why(finding: str, tables: Tables) -> Iterator[str]:
    """What p* and the kept summaries say to a finding; every sentence is chosen by the numbers."""
    rows = tables["rows"]
    part = rows[rows["verifier"] == finding].sort_values("rate")
    yield _verifier(finding, part, float(tables["pool"]["rouge1"].mean()))
    yield _rule(part)
    if finding == "random":
        yield _own_summaries(part, rows[rows["arm"] == "generator"].iloc[0])
    if finding == "oracle" and part["noisy"].notna().all():
        yield _noisy(part, rows)
    said = tables["contrasts"]
    others = said.loc[(said["side"] == finding) & said["other"].isin(rows["verifier"]), "other"].unique()
    yield from (_compare(finding, other, tables) for other in others if other != finding)


def _verifier(name: str, part: pd.DataFrame, pool: float) -> str:
    return (
        f"What {name} keeps at {_list(100 * part['rate'], 'g')} %: soft p* {_list(part['p_star_soft'], '.2f')}, "
        f"threshold p* {_list(part['p_star_threshold'], '.2f')}, ROUGE-1 {_list(part['kept_rouge1'], '.1f')} (all "
        f"generated: {pool:.1f}), distinct {_list(100 * part['distinct_share'], '.0f')} %."
    )


def _rule(part: pd.DataFrame) -> str:
    """Whether it selects by quality at all, and whether p < p*."""
    above, below = _sides(part)
    good = int((part["kept_rouge1"] > 50).sum())
    return (
        f"Soft p* is above 1/2 at {above} of {len(part)} rates, below at {below}, not told from 1/2 at "
        f"{len(part) - above - below}. Soft purity, the mean ROUGE-1 of what is kept, is above 1/2 (p < p*) at {good}."
    )


def _sides(part: pd.DataFrame) -> tuple[int, int]:
    """Rates with soft p* above 1/2, and below, by its interval."""
    return int((part["p_star_low_soft"] > 0.5).sum()), int((part["p_star_high_soft"] < 0.5).sum())


def _own_summaries(part: pd.DataFrame, generator: pd.Series) -> str:
    """What the difference between random and the generator is due to."""
    blind = "So, blind to quality, it shows" if not any(_sides(part)) else "As it is not blind here, it does not show"
    return (
        f"{blind} what training on own summaries does by itself: {_list(part['examples'])} of them in "
        f"{_list(part['steps'])} steps, where the generator had {generator['examples']:,.0f} references in "
        f"{generator['steps']:,.0f}."
    )


def _noisy(part: pd.DataFrame, rows: pd.DataFrame) -> str:
    random = rows[rows["verifier"] == "random"].sort_values("rate")
    beside = f", of what random keeps {_list(100 * random['noisy'], '.1f')} %" if len(random) else ""
    return f"Noisy references: of what it keeps {_list(100 * part['noisy'], '.1f')} %{beside}."


def _compare(name: str, other: str, tables: Tables) -> str:
    """Two verifiers by p* and by their students."""
    soft = tables["rows"].pivot_table(index="rate", columns="verifier", values="p_star_soft")
    ahead = soft.get(name, np.nan) - soft.get(other, np.nan)
    lines = tables["contrasts"]
    line = lines[(lines["side"] == name) & (lines["other"] == other) & lines["headline"]].iloc[0]
    words = f"By soft p* {name} is the better verifier than {other} at {(ahead > 0).sum()} of {len(soft)} rates"
    gain = f"its students' mean difference is {_number(line['difference'], '+')} ({line['verdict']})"
    if line["verdict"] not in ("better", "worse"):
        return f"{words}; {gain}: the students leave open whether p* orders them rightly."
    same = (line["difference"] > 0) == (np.mean(ahead) > 0)
    return f"{words}; {gain}: p*, on the mean over rates, {'orders' if same else 'does not order'} them as students do."


def _list(values: pd.Series, form: str = ",.0f") -> str:
    """Values by rate, or one where all are the same."""
    shown = [_number(value, form=form) for value in values]
    return shown[0] if len(set(shown)) == 1 else " / ".join(shown)


def _p_star(points: pd.DataFrame) -> Iterator[str]:
    soft, hard = (points[points["reading"] == reading].iloc[0] for reading in ("soft", "threshold"))
    yield "p* = phi/(phi + psi) on the generated summaries, pooled over seeds; both readings of graded quality are ours"
    yield (
        f"soft: correct to the degree ROUGE-1, p = {soft['p']:.3f}; "
        f"threshold: correct where ROUGE-1 >= {hard['threshold']:g}, p = {hard['p']:.3f}"
    )
    half = f"{'phi':>7}{'psi':>7}{'purity':>8}{'p*':>7}{'':15}{'p < p*':>7}"
    yield f"{'':16}{'soft':>29}{'':22}{'threshold':>29}"
    yield f"{'':16}{half}{half}"
    for (verifier, rate), part in points.groupby(["verifier", "rate"], sort=False):
        cells = part.set_index("reading")
        yield f"{f'{verifier} {_percent(rate)}':16}{_reading(cells.loc['soft'])}{_reading(cells.loc['threshold'])}"
    lost = points[points["unscored"] > 0].drop_duplicates("verifier")
    for _, line in lost.iterrows():
        yield f"{line['verifier']}: {line['unscored']:,} of {line['records']:,} summaries could not be scored."


def _reading(line: pd.Series) -> str:
    rule = {"below": "yes", "above": "no"}.get(line["rule"], "?")
    star = f"[{_share(line['p_star_low'], 3)}, {_share(line['p_star_high'], 3)}]"
    rates = f"{_share(line['phi'], 3):>7}{_share(line['psi'], 3):>7}{_share(line['purity'], 3):>8}"
    return f"{rates}{_share(line['p_star'], 3):>7} {star:14}{rule:>7}"


def _kept(tables: Tables) -> Iterator[str]:
    yield "What verifiers keep (mean over seeds, and over draws of random)"
    names = ("kept", "distinct", "duplicates", "capped", "tokens", "ROUGE-1", "of oracle's", "noisy reference")
    yield f"{'':22}" + "".join(f"{name:>{max(len(name) + 2, 9)}}" for name in names)
    rows = tables["rows"]
    for _, line in rows[rows["verifier"] != ""].iterrows():
        values = [_number(line[name], form=",.0f") for name in ("kept", "distinct", "duplicates", "capped")]
        values += [_number(line["mean_length"]), _number(line["kept_rouge1"])]
        values += [_whole(line["overlap_with_oracle"]), _whole(line["noisy"])]
        cells = (f"{value:>{max(len(name) + 2, 9)}}" for value, name in zip(values, names, strict=True))
        yield f"{name_of(line['arm'], line['verifier'], line['rate']):22}" + "".join(cells)


def _limits(tables: Tables, profile: Mapping[str, Any]) -> Iterator[str]:
    rows, noise = tables["rows"], tables["noise"].iloc[0]
    yield "Limits"
    yield _say(_uncertainty(rows, noise), "(a) ")
    yield _say(_steps(rows), "(b) ")
    stemmer = "with" if profile["evaluation"]["stemmer"] else "without"
    yield _say(
        f"ROUGE by rouge-score, F1, {stemmer} Porter's stemmer, which moves ROUGE-1 of English news by about a point. "
        f"'Not seen', and 'seen' of being no better, say that the interval leaves less than {NEGLIGIBLE:g} point.",
        "(c) ",
    )
    yield _say(
        "p* takes generated summaries as independent records. How the publication defines a correct summary is not "
        "readable, hence two readings; values of random are means over its draws, its interval the mean of theirs.",
        "(d) ",
    )
    if len(tables["gates"]):
        yield _say(
            "The stories are made up and the models tiny: orderings can be compared with the published ones, levels of "
            "ROUGE cannot.",
            "(e) ",
        )


def _uncertainty(rows: pd.DataFrame, noise: pd.Series) -> str:
    told = (
        f"standard deviation of a model's ROUGE-1 from run to run {noise['points']:.2f} points, "
        f"{noise['freedom']} degrees of freedom"
    )
    if rows["seeds"].iloc[0] == 1:
        words = "One seed: intervals are over test articles (paired bootstrap) and speak of these models only."
        if noise["source"] == "none":
            return f"{words} How far other seeds would differ, a single draw of random does not tell."
        return f"{words} Other seeds would differ; how far, the draws of random tell: {told}."
    if noise["source"] == "none":
        return "Run noise cannot be told: too many models failed, so that differences stay undecided."
    words = (
        f"Run noise: {told}, pooled over arms after removing differences between seeds. Intervals of differences "
        "assume it to be the same in all arms and independent; t does not, and decides little with few seeds."
    )
    if isinstance(noise["left_out"], str) and noise["left_out"]:
        uneven = ", ".join(name.removeprefix("retrain-").replace("-", " at ") for name in noise["left_out"].split())
        words += f" Far noisier than the others, left out of it and judged by t alone: students of {uneven}."
    if np.isnan(noise["p_value"]):
        return words
    fits = (
        "which fits" if noise["p_value"] >= DOUBT else "which does not fit: of differences from the generator trust t"
    )
    return (
        f"{words} Check: the students' mean minus the generator varies by {noise['group_points']:.2f} points from seed "
        f"to seed, where this predicts {noise['expected_points']:.2f} (F test, p = {noise['p_value']:.2g}), {fits}."
    )


def _steps(rows: pd.DataFrame) -> str:
    trained = rows[(rows["verifier"] != "") | (rows["arm"] == "generator")]
    steps = sorted(set(trained["steps"]))
    if len(steps) == 1:
        return f"Generator and students take {steps[0]:,.0f} steps each, whatever the number of examples."
    return (
        f"Steps differ, from {steps[0]:,.0f} to {steps[-1]:,.0f}: a difference between arms of different steps is not "
        "the effect of selection alone."
    )


def _number(value: float, sign: str = "", form: str = ".1f") -> str:
    return "NaN" if np.isnan(value) else f"{value:{sign}{form}}"


def _share(value: float, digits: int = 2) -> str:
    return "NaN" if np.isnan(value) else f"{value:.{digits}f}"


def _whole(value: float) -> str:
    """A share in per cent."""
    return "-" if np.isnan(value) else f"{100 * value:.0f} %"


def _interval(line: pd.Series, low: str, high: str, sign: str = "") -> str:
    return "-" if np.isnan(line[low]) else f"[{line[low]:{sign}.1f}, {line[high]:{sign}.1f}]"
