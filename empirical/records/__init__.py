"""Tables of records from files, read strictly: what is not understood is refused, all of it at once, with its place.

    faults.py      what is refused, and how it is said
    words.py       which words mean yes, no and missing
    places.py      the line or row of the file at which a record stands
    column.py      `Columns` and `Column`: what has been read
    gathering.py   columns grow block by block, within a bound of memory
    paths.py       nested fields by dotted path
    sources.py     a file, a folder or standard input is opened: its kind, compression and encoding
    blocks.py      text is cut into blocks of whole rows
    delimited.py   CSV with commas, semicolons or tabs
    json_lines.py  an object per line
    json_array.py  a list of objects
    arrow.py       Parquet, Arrow and Feather files, folders of Hugging Face datasets
    logs/          evaluation logs of other programs, by their shape; of_log.py: as columns
    reading.py     `read`, `peek` and `names`
    convert.py     columns as flags, numbers, quality and labels

Text is read by pyarrow, block by block. A block in which anything is unusual is read again by Python's own csv or json
module, which says what is wrong and where; both give the same columns.
"""

from empirical.records.column import Column as Column
from empirical.records.column import Columns as Columns
from empirical.records.convert import Flags as Flags
from empirical.records.convert import Labels as Labels
from empirical.records.convert import as_flags as as_flags
from empirical.records.convert import as_labels as as_labels
from empirical.records.convert import as_numbers as as_numbers
from empirical.records.convert import as_quality as as_quality
from empirical.records.faults import RecordsError as RecordsError
from empirical.records.faults import together as together
from empirical.records.reading import columns as columns
from empirical.records.reading import peek as peek
from empirical.records.reading import read as read
from empirical.records.words import key as key
