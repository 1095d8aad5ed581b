"""Cells, spans and chunks: named by content, cut without loss."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.sweeps.config import load, parse
from sims.sweeps.grid import (
    CHUNK_SECONDS,
    DRAWS_TOGETHER,
    MAX_BATCH,
    MAX_CHUNK_TRIALS,
    Cell,
    Chunk,
    Shape,
    Span,
    cell_from_json,
    cell_to_json,
    cells,
    chunks,
    missing_spans,
)
from tests.sims.helpers import INDEPENDENT, LINEAR, changed
from theory.columns import SETTINGS

ONE = Cell("independent", Shape("squared", 8, 4), 2.0, 0.1, 0.5, ((0.1, 0.1), (0.8, 0.8), (0.2, 0.2)))
FLAT = Cell("linear", Shape("logistic", 16, 8), 2.0, 0.1, 0.5, (0.5, 0.6, 0.3))
CLASSES = ONE._replace(prior=0.3, values=((0.1, 0.2), (0.8, 0.8), (0.0, 1.0)))

CHUNKS = [
    # part of the name of a shard: a folder is continued only where they are what they were
    (Shape("squared", 8, 4), 4096),
    (Shape("squared", 200, 100), 4096),
    (Shape("logistic", 800, 100), 2127),
    (Shape("squared", 2000, 1000), 90),
    (Shape("squared", 2000, 1000, "exact-law", "float64"), 4096),
    (Shape("squared", 1_000_000, 1000, "exact-law", "float64", "linear"), 512),
    (Shape("squared", 100_000, 10_000), 1),
]


def test_ids_are_pinned():
    """A change here orphans every result folder, and changes every random number."""
    assert [cell.id for cell in (ONE, FLAT, CLASSES)] == [
        "eaeb12284b3b0f04",
        "a6291a3a625dffbf",
        "df4f33de4a47b9d7",
    ]
    assert Chunk(ONE.shape, (Span(ONE.id, 0, 3),)).id(0) == "212f07b3a8a236d1"


@pytest.mark.parametrize("base", [INDEPENDENT, LINEAR], ids=["independent", "linear"])
def test_cells_do_not_depend_on_order_or_on_the_rest_of_the_grid(base):
    key, values = ("verifier.psi", [0.2, 0.8]) if base is INDEPENDENT else ("verifier.cos_verifier", [0.6, 0.5])
    small = cells(parse(changed(base, {key: values[:1]})))
    grid = cells(parse(changed(base, {key: values, "problem.signal": [1, 2], "run.seeds": 77})))
    turned = cells(parse(changed(base, {key: values[::-1], "problem.signal": [2, 1], "run.root_seed": 5})))
    assert small.items() <= grid.items()
    assert grid == turned
    assert list(grid) != list(turned)


OTHER_SHAPES = [Shape("hinge", 8, 4), Shape("squared", 9, 4), Shape("squared", 8, 5), Shape("squared", 8, 4, "theory")]
OTHER_SHAPES += [Shape("squared", 8, 4, "simulation", "float64")]


@pytest.mark.parametrize("cell", [ONE, FLAT, CLASSES], ids=["one rate", "linear", "per class"])
def test_every_field_is_part_of_the_id(cell):
    same = SETTINGS["independent" if cell.setting == "linear" else "linear"]  # with as many columns
    changes = {"setting": same.name, "signal": 2.5, "ridge": 0.2, "prior": 0.4}
    others = [cell._replace(**{field: value}) for field, value in changes.items()]
    others += [cell._replace(shape=shape) for shape in OTHER_SHAPES]
    for place in range(len(cell.values)):
        others.append(cell._replace(values=(*cell.values[:place], (0.11, 0.33), *cell.values[place + 1 :])))
    assert set(changes) | {"shape", "values"} == set(Cell._fields)
    assert len({other.id for other in [cell, *others]}) == 1 + len(others)


@pytest.mark.parametrize("cell", [ONE, FLAT, CLASSES], ids=["one rate", "linear", "per class"])
def test_cell_survives_json(cell):
    back = cell_from_json(json.loads(json.dumps(cell_to_json(cell))))
    assert back == cell
    assert back.id == cell.id
    assert isinstance(back.shape, Shape)


IN_BULK = [
    INDEPENDENT,
    changed(INDEPENDENT, {"generator.p": [[0.1, 0.3], 0.2], "verifier.psi": [[0.0, 0.5]], "problem.prior": 0.3}),
    changed(INDEPENDENT, {"problem.alpha": [2, 2.01, 2.25]}),
    LINEAR,
]


@pytest.mark.parametrize("document", IN_BULK)
def test_names_given_in_bulk_are_those_of_the_cells(document):
    grid = cells(parse(document))
    assert [cell.id for cell in grid.values()] == list(grid)
    assert [cell.shape for cell in grid.values()] == [grid.shape_of(name) for name in grid]


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[3] / "sweeps").glob("*.toml")), ids=lambda f: f.stem)
def test_names_of_the_shipped_sweeps_are_those_of_their_cells(file):
    grid = cells(load(file))
    assert [cell.id for cell in grid.values()] == list(grid)
    assert "0" * 16 not in grid
    with pytest.raises(KeyError):
        grid["0" * 16]


def test_words_are_the_id():
    assert "{:08x}{:08x}".format(*ONE.words) == ONE.id
    assert max(ONE.words) < 2**32


def test_alphas_with_the_same_n_are_one_cell():
    assert len(cells(parse(changed(INDEPENDENT, {"problem.alpha": [2, 2.01, 2.25]})))) == 8


def test_chunk_id_names_seed_shape_and_spans():
    chunk = Chunk(ONE.shape, (Span(ONE.id, 0, 3),))
    others = [Chunk(FLAT.shape, chunk.spans), Chunk(ONE.shape, (Span(ONE.id, 0, 4),))]
    others += [Chunk(ONE.shape, (Span(ONE.id, 1, 3),)), Chunk(ONE.shape, (Span(FLAT.id, 0, 3),))]
    assert len({chunk.id(0), chunk.id(1), *(other.id(0) for other in others)}) == 6


@pytest.mark.parametrize(("shape", "trials"), CHUNKS, ids=str)
def test_chunks_are_pinned(shape, trials):
    assert shape.chunk_trials == trials


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_batch_is_at_most_a_chunk_and_a_chunk_takes_seconds(loss):
    for n, d in product((1, 3, 10, 100, 1000, 10_000), repeat=2):
        shape = Shape(loss, n, d)
        assert 1 <= shape.batch <= min(MAX_BATCH, shape.chunk_trials)
        assert shape.chunk_trials <= MAX_CHUNK_TRIALS
        assert shape.chunk_trials == 1 or shape.chunk_trials * shape.trial_seconds <= CHUNK_SECONDS


def test_memory_grows_with_the_data_and_not_with_d_for_the_exact_law():
    assert Shape("squared", 20_000, 5_000).trial_bytes >= 2 * 8 * 20_000 * 5_000  # bits, and the data
    exact = [Shape("squared", 2 * d, d, "exact-law") for d in (10, 1_000_000)]
    assert len({shape.trial_bytes for shape in exact}) == 1
    assert all(shape.chunk_trials % DRAWS_TOGETHER == 0 for shape in exact)
    linear = exact[1]._replace(setting="linear")
    assert linear.trial_seconds > 100 * exact[1].trial_seconds  # there, n triples of numbers are drawn


def expand(spans):
    return [(cell, seed) for cell, first, count in spans for seed in range(first, first + count)]


SMALL = {name: ONE._replace(shape=Shape("squared", 20_000, 3000)) for name in "abc"}  # a trial or two per chunk
LARGE = {name: ONE._replace(shape=Shape("logistic", 800, 200)) for name in "xyz"}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(Span, st.sampled_from("abcxyz"), st.integers(0, 50), st.integers(1, 150)),
        max_size=8,
    )
)
def test_chunks_partition_the_trials_in_order(spans):
    grid = SMALL | LARGE
    made = chunks(grid, spans)
    for shape in {grid[name].shape for name in grid}:
        wanted = [trial for trial in expand(spans) if grid[trial[0]].shape == shape]
        members = [chunk for chunk in made if chunk.shape == shape]
        assert expand(span for chunk in members for span in chunk.spans) == wanted
        assert all(chunk.trials == shape.chunk_trials for chunk in members[:-1])
        assert all(1 <= chunk.trials <= shape.chunk_trials for chunk in members)
    assert all(grid[span.cell].shape == chunk.shape for chunk in made for span in chunk.spans)
    assert made == chunks(grid, spans)


@settings(max_examples=300, deadline=None)
@given(
    seeds=st.integers(1, 12),
    names=st.lists(st.sampled_from("abcdef"), unique=True),
    done=st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.integers(0, 15))),
)
def test_missing_spans_against_brute_force(seeds, names, done):
    spans = list(missing_spans(names, seeds, done))
    brute = [(name, seed) for name in names for seed in range(seeds) if seed not in done.get(name, ())]
    assert expand(spans) == brute
    assert all(span.count > 0 for span in spans)
    for before, after in zip(spans, spans[1:], strict=False):  # runs are as long as they can be
        assert before.cell != after.cell or before.first + before.count < after.first


def test_growing_asks_only_for_what_is_new():
    old = cells(parse(INDEPENDENT))
    done = {name: set(range(3)) for name in old}
    new = cells(parse(changed(INDEPENDENT, {"generator.p": [0.1, 0.2, 0.3]})))
    assert list(missing_spans(old, 3, done)) == []
    assert list(missing_spans(old, 5, done)) == [Span(name, 3, 2) for name in old]
    assert list(missing_spans(new, 3, done)) == [Span(name, 0, 3) for name in new if name not in old]
