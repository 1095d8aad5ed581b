"""How much processor time one prediction takes at its slowest: legal calls of the families whose solvers search.

    python -m tests.torture.slow --count 2000 --seed 7 --json slow.json

A case that takes more than MOST seconds of CPU, beyond imports, is a fault; those above TOLD are listed.
"""

import json
import signal
import sys
import time

from tests.torture import fuzz, words
from tests.torture.record import Record, arguments, rng_of

MOST, TOLD = 12.0, 5.0
CUT = 60
"""Seconds at which a case is ended."""


def main():
    """The program."""
    given = arguments(__doc__.splitlines()[0])
    record = Record("predictions", given.count, given.seed)
    signal.signal(signal.SIGVTALRM, fuzz._too_slow)
    fuzz.call(*words.searched(rng_of(given.seed, 0)))  # imports
    for case in range(given.first, given.first + given.count):
        argv = words.searched(rng_of(given.seed, case))
        signal.setitimer(signal.ITIMER_VIRTUAL, CUT)
        begun = time.process_time()
        code, out, err = fuzz.call(*argv)
        took = time.process_time() - begun
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        wrong = fuzz.judge("searched", code, out, err)
        if wrong or took > MOST:
            record.fault(case, wrong or f"{took:.1f} s of CPU", argv=argv)
        else:
            record.outcome("answered" if code == 0 else "refused")
        if took > TOLD:
            status = json.loads(out).get("status", "") if out[:1] == "{" else code
            print(f"{took:.1f} s ({status}): pstar {' '.join(argv)}", flush=True)
    return record.end(given.json)


if __name__ == "__main__":
    sys.exit(main())
