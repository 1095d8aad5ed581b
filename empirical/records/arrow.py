"""Parquet, Arrow and Feather files and folders of Hugging Face datasets: the wanted columns alone, batch by batch."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from empirical.records.column import Columns, is_text
from empirical.records.faults import Faults, RecordsError, listed, shown
from empirical.records.gathering import Gathered
from empirical.records.names import All, absent, odd, times, twice, twins
from empirical.records.names import notes as blank_notes
from empirical.records.paths import Steps, entry, is_list, steps, type_at, typed_leaves
from empirical.records.sources import Source
from sims.running.files import located

BATCH = 1 << 17
INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls the index of a frame, which is no column of it."""
STATE, SPLITS = "state.json", "dataset_dict.json"


def read(source: Source, wanted: Sequence[str] | None, limit: int | None, want: All | None = None) -> Columns:
    """The wanted columns, all of them for None; ``limit`` is the most records. Raises RecordsError.

    With ``want`` the outermost columns are read; what cannot be read of them is among what is pending of the columns.
    """
    gathered: Gathered | None = None
    unusable: list[str] = []
    kind = {"folder": "Hugging Face dataset"}.get(source.kind, source.kind)
    for file in _shards(source):
        with _understood(source.name, kind):
            table = _Parquet(file) if source.kind == "Parquet" else _Ipc(file)
            faults = Faults(source.name)
            if want is not None:
                names, unusable = _outermost(table.schema, want, faults)
                notes = blank_notes(table.schema.names)
            else:
                names, notes = (list(wanted), []) if wanted is not None else _all(table.schema)
            paths = [steps(name, table.schema.names) for name in names]
            if want is None:
                _check(source.name, names, paths, table.schema)
            if gathered is None:
                gathered = Gathered(source.name, names, "row", limit)
                gathered.faults = faults
            for batch in table.batches(paths):
                columns = [plain(entry(batch.column(path[0]), path[1:])) for path in paths]
                gathered.add(columns, batch.num_rows, gathered.rows + 1)
                if gathered.full:
                    break
    assert gathered is not None
    return gathered.columns(kind, [*source.notes, *notes], unusable)


class _Parquet:
    """Of a Parquet file the schema, and the wanted columns."""

    def __init__(self, file: BinaryIO):
        """At its start."""
        self._file = pq.ParquetFile(file, pre_buffer=False)  # read by this thread alone: see `owned`
        self.schema = self._file.schema_arrow

    def batches(self, paths: Sequence[Steps]) -> Iterator[pa.RecordBatch]:
        """Batches with those columns, checked in full; of a struct, the fields that are asked for."""
        names = []
        for path in paths:
            kind, some = self.schema.field(path[0]).type, [path[0]]
            for step in path[1:]:
                if not pa.types.is_struct(kind):
                    break
                kind = kind.field(step).type
                some.append(step)
            names.append(".".join(some))
        for batch in self._file.iter_batches(BATCH, columns=names, use_threads=False):
            batch.validate(full=True)
            yield batch


class _Ipc:
    """Of an Arrow file or stream the schema, and the wanted columns."""

    def __init__(self, file: BinaryIO):
        """At its start."""
        self._file = file
        self._is_file = file.read(6) == b"ARROW1"
        self.schema = self._open(None).schema

    def _open(self, fields: list[int] | None) -> Any:
        self._file.seek(0)
        options = ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        return (ipc.open_file if self._is_file else ipc.open_stream)(self._file, options=options)

    def batches(self, paths: Sequence[Steps]) -> Iterator[pa.RecordBatch]:
        """Batches with those columns, checked in full: a damaged file may point anywhere."""
        fields = sorted({self.schema.get_field_index(path[0]) for path in paths})
        reader = self._open(fields)
        many = (reader.get_batch(i) for i in range(reader.num_record_batches)) if self._is_file else reader
        for batch in many:
            batch.validate(full=True)
            yield batch


def _shards(source: Source) -> Iterator[BinaryIO]:
    if source.kind != "folder":
        assert source.file is not None
        yield source.file
        return
    assert source.path is not None
    for name in _names(source.path):
        path = source.path / name
        with located(path), open(path, "rb") as file:
            yield file


def _names(folder: Path) -> list[str]:
    """The files of a dataset that `datasets` saved, in their order. Raises RecordsError for any other folder."""
    if (folder / SPLITS).is_file():
        splits = _json(folder / SPLITS).get("splits")
        some = ", ".join(str(folder / str(name)) for name in splits) if isinstance(splits, list) else "none"
        raise RecordsError(f"{folder} holds several splits; give one of them: {some}")
    if not (folder / STATE).is_file():
        raise RecordsError(f"{folder} is a folder without {STATE}; give a file, or a folder of Dataset.save_to_disk")
    state = _json(folder / STATE)
    if state.get("_indices_data_files"):
        raise RecordsError(f"{folder} is a selection by indices; save it again, after flatten_indices()")
    files = state.get("_data_files")
    names = [entry.get("filename") if isinstance(entry, dict) else None for entry in files or ()]
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise RecordsError(f"{folder / STATE} does not name the files of the folder; save the dataset again")
    return [str(name) for name in names]


def _json(path: Path) -> dict[str, Any]:
    try:
        with located(path):
            found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RecordsError(f"{path} is not the JSON that datasets writes; save the dataset again")
    return found


def _all(schema: pa.Schema) -> tuple[list[str], list[str]]:
    twice = [name for name in dict.fromkeys(schema.names) if schema.names.count(name) > 1]
    notes = [f"{schema.names.count(name)} columns are called {shown(name)}: rename all but one" for name in twice]
    return [name for name in dict.fromkeys(typed_leaves(schema)) if steps(name, schema.names)[0] not in twice], notes


def _outermost(schema: pa.Schema, want: All, faults: Faults) -> tuple[list[str], list[str]]:
    """The columns that can be read, and those that cannot, with what is wrong with them and with names."""
    for fault in odd(schema.names):
        faults.add(fault)
    unusable = twice(schema.names)
    found = []
    for field in schema:
        name = field.name.strip()
        if not name or name in unusable or INDEX.fullmatch(name):
            continue
        if pa.types.is_nested(field.type) and not (want.lists(name) and _is_numbers(field.type)):
            what = "lists" if is_list(field.type) else "objects"
            faults.add(f"column {shown(name)} holds {what} ({field.type}); give a plain value in each row")
            unusable.append(name)
        else:
            found.append(name)
    return found, unusable


def _is_numbers(kind: pa.DataType) -> bool:
    """Whether a type is one of lists of numbers."""
    return is_list(kind) and (pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type))


def _check(source: str, names: Sequence[str], paths: Sequence[Steps], schema: pa.Schema) -> None:
    """Raise RecordsError for columns that are not there, are there twice, or are nested."""
    faults, top = Faults(source), schema.names
    for name, path in zip(names, paths, strict=True):
        if times(path[0], top) > 1:
            faults.add(twins(path[0], top))
            continue
        kind = type_at(schema.field(path[0]).type, path[1:]) if path[0] in top else None
        if kind is None:
            faults.add(absent(name, typed_leaves(schema)))
        elif pa.types.is_nested(kind):
            inner = typed_leaves(pa.schema([pa.field(name, kind)]))[:3]
            what = "lists" if is_list(kind) else "objects"
            faults.add(f"column {shown(name)} holds {what}; name what is in them, as {listed(inner)}")
    Faults.refuse(faults)


@contextmanager
def _understood(name: str, kind: str) -> Iterator[None]:
    """Say in our words what pyarrow cannot read."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise RecordsError(f"{name} is no readable {kind} file ({_brief(error)}); write it again") from None
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise RecordsError(f"{name} is no readable {kind} file ({_brief(error)}); write it again") from None


def _brief(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return shown(lines[0])[1:-1] if len(lines[0]) <= 60 else lines[0][:120]


def plain(array: pa.Array) -> pa.Array:
    """Without dictionaries, run lengths and wrappers of types; short floats by their shortest decimal.

    So 0.9 as float32 is 0.9, and not 0.899999976.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return plain(array.storage)
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(array))
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return array.cast(pa.int64())
    if pa.types.is_float32(kind):
        return array.cast(pa.string()).cast(pa.float64())
    if pa.types.is_float16(kind):
        distinct, places = np.unique(array.to_numpy(zero_copy_only=False), return_inverse=True)
        widened = np.array([float(str(value)) for value in distinct])[places]
        return pa.array(widened, pa.float64(), mask=array.is_null().to_numpy(zero_copy_only=False))
    if is_text(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary()).cast(pa.large_string())
    return array
