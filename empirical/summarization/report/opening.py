"""What was run, and the findings at a glance."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from empirical.summarization.report.words import WANTED, Tables, gain, name_of, percent
from empirical.summarization.verifiers import of
from sims.running.text import say


def head(tables: Tables, profile: Mapping[str, Any]) -> Iterator[str]:
    """Data, verifiers, and what the generator wrote."""
    pool, first = tables["pool"], tables["rows"].iloc[0]
    data = "made-up stories" if len(tables["gates"]) else f"data {profile['data']['source']}"
    rates = ", ".join(percent(rate) for rate in sorted(profile["selection"]["rates"]))
    seeds = "1 seed" if first["seeds"] == 1 else f"{first['seeds']} seeds"
    yield say(
        f"Summarization, preset {profile['name']}: {data}. A generator trained on {_each(pool, 'generator_articles')} "
        f"articles with their reference summaries summarized {_each(pool, 'pool_articles')} others; every verifier "
        f"kept {rates} of these, and the base model was trained again on what was kept. {seeds}, "
        f"{_each(pool, 'test_articles')} test articles each."
    )
    groups = [name for name in tables["rows"]["verifier"].unique() if name]
    yield say("Verifiers: " + "; ".join(f"{name}: {of(name).meaning}" for name in groups) + ".")
    quality = " / ".join(f"{pool[kind].mean():.1f}" for kind in ("rouge1", "rouge2", "rougeL"))
    counts = ", ".join(f"{_each(pool, name)} {name}" for name in ("distinct", "duplicates", "capped", "empty"))
    yield say(f"Generated summaries (per seed): ROUGE-1/2/L {quality}; {counts}.")


def _each(pool: pd.DataFrame, name: str) -> str:
    """A count per seed, as a range where seeds differ."""
    low, high = int(pool[name].min()), int(pool[name].max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def glance(tables: Tables) -> Iterator[str]:
    """One line per finding."""
    yield f"{'The findings of Feng et al. (2024), here':48}{'':20}{'ROUGE-1 difference':>21}"
    for _, line in tables["findings"].iterrows():
        words = f"{line['number']:3} {line['short']:44}{line['verdict'].upper():>20}"
        if line["verdict"] != "not run":
            words += f"{gain(line):>21} {name_of(line['side'])} - {name_of(line['other'])}"
        yield words.rstrip()
        if line["verdict"] == "seen in part":
            yield say(f"but {_rest(tables['contrasts'], line['finding'])}", "    ")


def _rest(lines: pd.DataFrame, finding: str) -> str:
    """The statements of a finding that are not seen."""
    part = lines[(lines["finding"] == finding) & (lines["role"] == "claim") & lines["headline"]]
    return "; ".join(
        f"{name_of(line['side'])} {WANTED[line['wanted']]} {name_of(line['other'])}: {line['reading']}"
        for _, line in part[part["reading"] != "seen"].iterrows()
    )
