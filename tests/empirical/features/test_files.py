"""Features and labels in every kind of file that is read, and what is said of those that are not understood."""

import json

import numpy as np
import pandas as pd
import pytest

from empirical.auditing.binary import audit
from empirical.auditing.files import Names, audit_file
from empirical.auditing.report import as_json
from empirical.features.files import read, read_rates
from theory.errors import InputError
from theory.types import Rates

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = np.where(np.arange(12) % 3 == 0, "cat", "dog")
FLAGS = (Y == "dog").astype(np.int64)


def columns():
    return {f"f{index}": X[:, index] for index in range(3)}


def save_npy(folder):
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", Y)
    return folder / "X.npy", folder / "y.npy"


def save_npz(folder):
    np.savez(folder / "both.npz", X=X, y=Y)
    return (folder / "both.npz",)


def save_npz_by_name(folder):
    np.savez(folder / "both.npz", before=X + 1, after=X, kind=Y)
    return folder / "both.npz", None, "kind", "after"


def save_csv(folder):
    pd.DataFrame(columns() | {"label": Y}).to_csv(folder / "both.csv", index=False)
    return (folder / "both.csv",)


def save_csv_of_counted_columns(folder):
    pd.DataFrame(X).assign(y=Y).to_csv(folder / "both.csv", index=False)
    return (folder / "both.csv",)


def save_csv_with_text(folder):
    pd.DataFrame({"text": Y} | columns() | {"kind": Y}).to_csv(folder / "both.csv", index=False)
    return folder / "both.csv", None, "kind", "f"


def save_csv_of_labels(folder):
    np.save(folder / "X.npy", X)
    pd.DataFrame({"anything": Y}).to_csv(folder / "y.csv", index=False)
    return folder / "X.npy", folder / "y.csv"


def save_parquet(folder):
    pd.DataFrame(columns() | {"y": Y}).to_parquet(folder / "both.parquet")
    return (folder / "both.parquet",)


def save_parquet_of_lists(folder):
    pd.DataFrame({"id": range(12), "embedding": list(X), "label": Y}).to_parquet(folder / "both.parquet")
    return (folder / "both.parquet",)


def save_safetensors(folder):
    """By the package of that name, where it is installed."""
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"embeddings": X, "labels": FLAGS}, folder / "both.safetensors")
    return (folder / "both.safetensors",)


def save_folder(folder):
    numpy = pytest.importorskip("safetensors.numpy")
    for name, rows in (("a", slice(0, 5)), ("b", slice(5, 12))):
        numpy.save_file({"embeddings": X[rows], "labels": FLAGS[rows]}, folder / f"{name}.safetensors")
    return (folder,)


SAVED = [value for name, value in sorted(globals().items()) if name.startswith("save_")]


@pytest.mark.parametrize("save", SAVED, ids=lambda save: save.__name__)
def test_what_was_saved_is_read(save, tmp_path):
    x, y = read(*save(tmp_path))
    np.testing.assert_allclose(x, X, rtol=1e-6)
    np.testing.assert_array_equal(y, FLAGS if y.dtype.kind == "i" else Y)


def test_half_precision(tmp_path):
    """bfloat16, which NumPy does not know, and float16."""
    torch, save = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch").save_file
    for name, kind in (("bf", torch.bfloat16), ("half", torch.float16)):
        tensor = torch.from_numpy(X).to(kind)
        save({"X": tensor, "y": torch.from_numpy(FLAGS)}, tmp_path / f"{name}.safetensors")
        x, _ = read(tmp_path / f"{name}.safetensors")
        np.testing.assert_array_equal(x.astype(np.float32), tensor.to(torch.float32).numpy())


def write(folder, name, content):
    (folder / name).write_bytes(content)
    return (folder / name,)


def saved_npz(folder, **arrays):
    np.savez(folder / "some.npz", **arrays)
    return (folder / "some.npz",)


def saved_csv(folder, table):
    pd.DataFrame(table).to_csv(folder / "some.csv", index=False)
    return (folder / "some.csv",)


def pickled(folder):
    np.save(folder / "X.npy", np.array([{"a": 1}], object), allow_pickle=True)
    return (folder / "X.npy",)


def ragged(folder):
    pd.DataFrame({"v": [[1.0], [1.0, 2.0]], "y": [0, 1]}).to_parquet(folder / "some.parquet")
    return (folder / "some.parquet",)


REFUSED = [
    (lambda folder: (folder / "absent.npy",), "absent.npy is not there"),
    (lambda folder: (folder / "X.txt",), r"ends in '.txt', not in one of .npy"),
    (lambda folder: (folder,), "holds no .safetensors"),
    (lambda folder: write(folder, "X.npy", b"no array"), "X.npy is no array of numbers"),
    (lambda folder: write(folder, "X.npz", b"PK\x03\x04 broken"), "X.npz is"),
    (lambda folder: write(folder, "X.csv", b""), "X.csv is empty; give a line with the names"),
    (lambda folder: write(folder, "X.csv", b"a,b\n"), "X.csv holds no records"),
    (lambda folder: write(folder, "X.parquet", b"PAR1"), "X.parquet is no readable Parquet file"),
    (lambda folder: write(folder, "X.safetensors", b"\x05\0\0\0\0\0\0\0{}   "), "does not say which are the labels"),
    (lambda folder: write(folder, "X.safetensors", b"\xff" * 20), "is no safetensors file"),
    (
        lambda folder: (*save_npy(folder)[:1], folder / "z.npy"),
        "z.npy is not there; give the file that holds the labels",
    ),
    (lambda folder: write(folder, "X.csv", b"0.5,1.5,0\n1.5,2.5,1\n"), r"X.csv has no header, .* data .0.5, 1.5, 0.; "),
    (lambda folder: write(folder, "X.csv", b"0.5,1.5,cat\n1.5,2.5,dog\n"), "X.csv has no header"),
    (lambda folder: (*save_npy(folder)[:1], *write(folder, "y.csv", b"0\n1\n0\n")), "y.csv has no header"),
    (lambda folder: (*save_npy(folder)[:1], *write(folder, "y.csv", b"cat\ndog\ncat\n")), "y.csv has no header"),
    (pickled, "X.npy is no array of numbers"),
    (ragged, "column 'v' has lists of 1 to 2 numbers"),
    (lambda folder: save_npy(folder)[:1], "does not say which are the labels .it has one array without a name"),
    (lambda folder: saved_npz(folder, X=X, kind=Y), "does not say which are the labels .it has 'X', 'kind'"),
    (lambda folder: (*saved_npz(folder, X=X, y=Y), None, "z"), "has nothing called 'z'; it has 'X', 'y'"),
    (lambda folder: saved_npz(folder, a=X, b=X, y=Y), "several matrices .'a', 'b'.; name one with --features"),
    (lambda folder: (*saved_npz(folder, a=X, y=Y), None, None, "q"), "nothing called 'q'"),
    (lambda folder: saved_csv(folder, {"text": Y, "y": Y}), "column 'text' is not of numbers"),
    (lambda folder: saved_csv(folder, {"y": Y}), "there are no features beside the labels"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED)
def test_refusals(make, said, tmp_path):
    with pytest.raises(InputError, match=said):
        read(*make(tmp_path))


# --- rates of an audit ---

CORRECT = np.array([1, 1, 1, 0, 0, 1, 1, 0, 0, 0] * 4)
KEPT = np.array([1, 1, 0, 1, 0, 1, 1, 0, 0, 1] * 4)
CLASSES = np.array(["a"] * 20 + ["b"] * 20)


def audited(folder, **more):
    table = pd.DataFrame({"correct": CORRECT, "kept": KEPT, "kind": CLASSES} | more)
    table.to_csv(folder / "records.csv", index=False)
    found = audit_file(folder / "records.csv", Names(correct="correct", kept=("kept",), classes="kind"))
    (folder / "audit.json").write_text(json.dumps(as_json(found)))
    return folder / "audit.json"


def test_rates_of_an_audit(tmp_path):
    """As a whole, and by class where the audit knows both classes of the features."""
    path, whole = audited(tmp_path), audit(CORRECT, KEPT)
    assert tuple(read_rates(path)[0]) == (whole.p.value, whole.phi.value, whole.psi.value)
    rates, (note,) = read_rates(path, ("a", "c"))
    assert rates.p == whole.p.value
    assert note.startswith(
        "rates are pooled over the classes of the audit ('a', 'b'), which are not those of the label"
    )
    parts = [audit(CORRECT[CLASSES == name], KEPT[CLASSES == name]) for name in ("b", "a")]
    rates, notes = read_rates(path, ("b", "a"))
    assert rates.phi == tuple(part.phi.value for part in parts)
    assert notes == ()


@pytest.mark.parametrize("classes", [(0, 1), (0.0, 1.0), ("0", "1")])
def test_classes_that_are_numbers(tmp_path, classes):
    """In the audit 0 and 1, among the labels perhaps 0.0 and 1.0."""
    rates, notes = read_rates(audited(tmp_path, kind=(CLASSES == "b").astype(int)), classes)
    assert len(rates.phi) == 2
    assert notes == ()


def test_an_audit_without_classes_says_nothing(tmp_path):
    (tmp_path / "audit.json").write_text(json.dumps({"audit": {rate: {"value": 0.5} for rate in Rates._fields}}))
    assert read_rates(tmp_path / "audit.json", (0, 1)) == (Rates(0.5, 0.5, 0.5), ())


def test_an_audit_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"nope.json is not there; make an audit: pstar audit RECORDS .* --out DIR"):
        read_rates(tmp_path / "nope.json")


def test_rates_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="psi is undefined; judge more records"):
        read_rates(audited(tmp_path, correct=1))
    for content in ("{}", "[1]", "no JSON", '{"audit": {"p": 1}}'):
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(InputError, match="is no audit with p, phi and psi; make one"):
            read_rates(tmp_path / "other.json")
