"""Tables as CSV that a spreadsheet shows and does not run."""

from typing import TYPE_CHECKING, Any

from sims.running.text import plain

if TYPE_CHECKING:
    import pandas as pd

FORMULA = "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
"""How a cell begins that a spreadsheet may compute."""


def csv(table: "pd.DataFrame") -> str:
    """A table as CSV without its index. Numbers and plain names are as `DataFrame.to_csv` writes them.

    Text, names of columns included, that would be a formula begins with ', and its control characters are escapes; so
    it does not read back as it was. Text that is a number (a class called -1) stays.
    """
    shown = table.set_axis([shown_cell(name) for name in table.columns], axis="columns")
    for place, (_, column) in enumerate(table.items()):
        if column.dtype.kind not in "biufcmM":
            shown.isetitem(place, column.astype(object).map(shown_cell))
    return str(shown.to_csv(index=False))


def shown_cell(value: Any) -> Any:
    """A cell's text so that a spreadsheet takes it as text; anything else as it is."""
    if not isinstance(value, str):
        return value
    words, bare = plain(value), value.strip()
    if value[:1] in ("\t", "\r") or (bare[:1] in FORMULA and bare.strip(FORMULA)):
        return words if _is_number(bare) else f"'{words}"
    return words


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
