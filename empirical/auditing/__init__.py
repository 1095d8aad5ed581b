"""p* on anyone's own records: ``audit(correct, kept, classes=None, level=.95)`` and what goes with it.

    intervals.py   intervals that keep their level at every count
    rates.py       counts to rates, p* and the decision p < p*
    binary.py      `audit`: labels correct or wrong, classes
    quality.py     graded quality in two readings
    scores.py      the curve over the threshold of a verifier's score
    files.py       all of it for one file
    report.py      as text and JSON

Arrays in, frozen dataclasses out; symbols as in THEORY §1 (p is the error rate, psi the false-positive rate).
"""
