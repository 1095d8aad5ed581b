"""Does worth say who wins on real data? Handwritten digits with wrong labels, verified, and learners trained on them.

data.py         digits that never run out: classes resampled, tested on originals that were held out
corruptions.py  wrong labels, spread evenly or in pairs, and what a verifier keeps; the worth of that
learners.py     six learners tuned on held-out data, and two that fit wrong labels as well
trials.py       one student, or a size of a clean learning curve, measured
worker.py       trials in a process with one thread
curve.py        a learner's clean learning curve, read at n W, and backwards
cells.py        what was measured beside what the rules say
hits.py         how often each rule is right, with intervals
study.py        `tables`, which the command `pstar study worth` asks for
"""
