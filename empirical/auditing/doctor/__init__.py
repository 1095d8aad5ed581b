"""What a file of records is good for, and what to type: ``report.text(examine(columns), path)``.

    look.py       what a column looks like
    names.py      usual names, by role
    roles.py      which column is likely what
    groups.py     records that belong together
    faults.py     what is wrong with columns
    proposal.py   the command, and what else the file supports
    examine.py    all of it
    of_file.py    of a file
    report.py     as text and JSON

Everything is a guess and is said; nothing is computed from it.
"""

from empirical.auditing.doctor.examine import Findings, examine
from empirical.auditing.doctor.groups import PromptLike, looks_like_prompt

__all__ = ["Findings", "PromptLike", "examine", "looks_like_prompt"]
