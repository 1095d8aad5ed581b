"""Tables of records from files, read strictly: what is not understood is refused, all of it at once, with its place.

    faults.py      what is refused, and how it is said
    words.py       which words mean yes, no and missing
    places.py      the line or row of the file at which a record stands
    column.py      `Columns` and `Column`: what has been read
    gathering.py   columns grow block by block, within a bound of memory
    names.py       names of columns: blanks, twins, near ones; every column, or some
    paths.py       nested fields by dotted path
    sources.py     a file, a folder or standard input is opened: its kind, compression and encoding
    blocks.py      text is cut into blocks of whole rows
    delimited.py   CSV with commas, semicolons or tabs
    json_lines.py  an object per line
    json_array.py  a list of objects
    arrow.py       Parquet, Arrow and Feather files, folders of Hugging Face datasets
    logs/          evaluation logs of other programs, by their shape; of_log.py: as columns
    reading.py     `read`, `table`, `peek` and `columns`
    arrays.py      columns that a notebook holds already
    convert.py     columns as flags, numbers, quality and labels
    lists.py       columns of lists as lists, or as a matrix
    as_written.py  columns of which nothing is asked

Text is read by pyarrow, block by block. A block in which anything is unusual is read again by Python's own csv or json
module, which says what is wrong and where; both give the same columns.
"""

from empirical.records.arrays import of_mapping as of_mapping
from empirical.records.as_written import as_written as as_written
from empirical.records.column import Column as Column
from empirical.records.column import Columns as Columns
from empirical.records.column import is_words as is_words
from empirical.records.convert import GAP as GAP
from empirical.records.convert import Flags as Flags
from empirical.records.convert import Labels as Labels
from empirical.records.convert import as_flags as as_flags
from empirical.records.convert import as_labels as as_labels
from empirical.records.convert import as_numbers as as_numbers
from empirical.records.convert import as_quality as as_quality
from empirical.records.convert import partly as partly
from empirical.records.faults import Faults as Faults
from empirical.records.faults import RecordsError as RecordsError
from empirical.records.faults import together as together
from empirical.records.lists import as_lists as as_lists
from empirical.records.lists import as_matrix as as_matrix
from empirical.records.names import All as All
from empirical.records.names import absent as absent
from empirical.records.names import unknown as unknown
from empirical.records.reading import columns as columns
from empirical.records.reading import peek as peek
from empirical.records.reading import read as read
from empirical.records.reading import table as table
from empirical.records.words import key as key
