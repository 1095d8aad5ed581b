"""What will training on what my verifier keeps give? A forecast from an audit and a pilot (WORTH; THEORY §28).

    pilot.py      accuracy of one's own learner at three clean sizes or more, or a refusal
    noise.py      how far the pilot's means may be off, drawn
    curves.py     learning curves on a grid, one per draw: read, and read backwards
    families.py   the curves that go through a pilot: power law, exact theory, and what no law says
    evidence.py   p, phi, psi, known or audited, and intervals of anything that is computed from them
    readings.py   what n generated samples are worth, and what a student makes of learned errors
    ties.py       at which n, p and p* the student ties with its generator
    forecast.py   `forecast`: all of it
    trust.py      the verdict, and where there is none
    sentences.py  the answer in words, and the table
    report.py     as text and JSON, and into a folder

n generated samples are read off the learner's own clean learning curve at n W, W = `theory.worth.worth`.
"""

ERRORS = ("learned", "spread")
"""Of the labels: a function of x that a student can learn, as those of a trained model; or independent of x."""
LEARNERS = ("tuned", "interpolating")
"""Whether the learner's regularisation is chosen on held-out data, or it fits wrong labels too."""
EXPONENT = 2.0
"""c in m a^c, of the law."""
INTERPOLATING = 14.0
"""The largest c that was measured on interpolating learners (7 to 14)."""
FARTHEST = 4.0
"""Times the largest pilot size, beyond which no verdict is given."""
DRAWS = 1000
"""Of the pilot's curve, and of the audit."""
