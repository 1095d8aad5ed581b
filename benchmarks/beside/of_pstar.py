"""Numbers of `pstar audit`: `empirical.audit`, with the prompt as its group."""

from protocol import LEVEL, Numbers, serve

from empirical import audit


def numbers(correct, kept, prompt, first) -> Numbers:
    found = audit(correct, kept, level=LEVEL, group=prompt)
    p = found.p
    rows: Numbers = {"accuracy: audit": (1 - p.value, 1 - p.high, 1 - p.low)}
    rows |= {f"{name}: audit": tuple(getattr(found, name)) for name in ("phi", "psi", "purity", "p_star")}
    return rows | {"worth: audit": tuple(found.worth.verified)}


if __name__ == "__main__":
    serve("pstar", numbers)
