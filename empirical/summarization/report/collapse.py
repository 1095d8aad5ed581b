"""Finding 1 by the noise of references."""

from collections.abc import Iterator

from empirical.summarization.report.words import Tables, gain, number, percent, share
from sims.running.text import say


def collapse(tables: Tables) -> Iterator[str]:
    """One line per share of noisy references; nothing where none was asked for."""
    found = tables["collapse"]
    if found.empty:
        return
    title = f"{'Finding 1 by the noise of references':40}{'generator':>10}{'student':>10}"
    yield f"{title}{'difference':>20}{'p':>6}  reading"
    for _, line in found.iterrows():
        words = f"{percent(line['noisy']):>8}{' of the references noisy':32}{number(line['generator']):>10}"
        yield f"{words}{number(line['student']):>10}{gain(line):>20}{share(line['p']):>6}  {line['reading']}"
    yield say(
        "A student on its generator's own summaries, chosen by chance. seen: it is worse (collapse). p: how wrong the "
        "generator's summaries are, by the soft reading, against references as noisy."
    )
