"""Finding 1 alone, at further shares of noisy references: its stages within a seed."""

from collections.abc import Iterator
from dataclasses import replace

from empirical.stages.artefact import Stage
from empirical.summarization.collapse import CHANCE, SHARE, place_of
from empirical.summarization.repetition import Repetition
from empirical.summarization.shared import Shared


class Noisy(Repetition):
    """Finding 1 alone, with references as noisy as one wants: a generator, and its student on chance's choice.

    Stories are drawn as in the repetition; of the pool only a part.
    """

    def __init__(self, plan: Shared, seed: int, noisy: float):
        """``noisy``: share of noisy references."""
        profile = plan.profile
        labelled = plan.taught + max(round(plan.pool * SHARE), 1)
        changed = replace(
            profile,
            stories=replace(profile.stories, noisy=noisy, curve=()),
            data=replace(profile.data, labelled=labelled),
            generator=replace(profile.generator, share=plan.taught / labelled),
            stronger=replace(profile.stronger, fresh=0),
            foreign=replace(profile.foreign, fresh=0),
            generation=replace(profile.generation, parts=1),
        )
        super().__init__(Shared(changed, plan.device), seed)
        self.noisy = noisy

    @property
    def place(self) -> str:
        """Where its stages lie."""
        return place_of(self.number, self.noisy)

    def stages(self) -> Iterator[Stage]:
        """Generator, summaries, a student on the choice of chance, and both evaluated."""
        yield self.prepare()
        schedule = self.profile.schedule(self.profile.generator)
        yield self.training("generator", "train_generator", schedule, self.plan.taught)
        yield from self.generation()
        yield self.evaluation("generator", self.own)
        yield from self.scores(CHANCE)
        yield from self.student(CHANCE, 1.0)
