"""What one's own records say of a verifier: ``audit(correct, kept)`` and what goes with it.

    design.py      records to units: who is judged, with which weight, what belongs together
    resample.py    the bootstrap of units, and intervals of anything computed from rates
    rates.py       four counts to rates, p* and the decision p < p*, exactly; estimates.py: the same by the bootstrap
    value.py       worth, and whether the verifier is better than none; budget.py: of n samples, and by cost
    binary.py      `audit`: labels correct or wrong, by class
    confusion.py   `confusions`: labels beside true classes; margins.py: their intervals
    verifiers.py   `audit_verifiers`: several, compared pair by pair
    scores.py      `threshold_curve`: over the threshold of a verifier's score
    quality.py     graded quality in two readings
    direction.py   two classes and a classifier with an intercept
    checks.py      what is refused
    files.py       all of it for one file of `empirical.records`
    doctor/        what a file is good for, and what to type
    report/        as text, Markdown, HTML and JSON

Arrays in, frozen dataclasses out; symbols as in THEORY §1 (p is the error rate, psi the false-positive rate).
"""
