"""The reader of corpora: layouts, refusals, revisions of the hub, and parts."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from empirical.summarization import corpus, stories
from empirical.summarization.stories import Recipe
from tests.empirical.summarization.helpers import within

COMMIT = "0123456789abcdef0123456789abcdef01234567"
XLSUM = "csebuetnlp/xlsum/english"


def xlsum(count=4):
    """Rows as XL-Sum has them: id, url, title, summary, text."""
    return pd.DataFrame(
        {
            "id": [f"uk-{i}" for i in range(count)],
            "url": [f"https://www.bbc.com/news/{i}" for i in range(count)],
            "title": [f"Title {i}" for i in range(count)],
            "summary": [f"What happened in case {i}." for i in range(count)],
            "text": [f"Something happened.\n\nIt was “case” {i} — at 2020-01-0{i + 1}." for i in range(count)],
        }
    )


def jsonl(rows, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_dict("records")), encoding="utf-8")


def parquet(rows, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(path, index=False)


def in_pieces(rows, path):
    parquet(rows[:2], path.with_name(f"{path.stem}-00000-of-00002.parquet"))
    parquet(rows[2:], path.with_name(f"{path.stem}-00001-of-00002.parquet"))


LAYOUTS = {
    "lines": (jsonl, "train.jsonl"),
    "table": (parquet, "train.parquet"),
    "pieces": (in_pieces, "train.parquet"),
    "folder of lines": (jsonl, "train/a.jsonl"),
    "folder of tables": (parquet, "train/0000.parquet"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_reads_as_the_same_rows(tmp_path, layout):
    write, name = LAYOUTS[layout]
    write(xlsum(), tmp_path / name)
    read = corpus.read(str(tmp_path), "", "train")
    assert read.columns.tolist() == ["id", "title", "text", "summary", "url"]
    pd.testing.assert_frame_equal(read, xlsum()[read.columns.tolist()])


def test_stories_come_back_as_they_were_written(tmp_path):
    rows = stories.stories(30, [1], Recipe())
    parquet(rows, tmp_path / "test.parquet")
    pd.testing.assert_frame_equal(corpus.read(str(tmp_path), "", "test"), rows)


def test_a_file_is_a_train_split_and_titles_are_not_needed(tmp_path):
    parquet(xlsum().drop(columns="title"), tmp_path / "mine.parquet")
    assert corpus.read(str(tmp_path / "mine.parquet"), "", "train")["title"].tolist() == [""] * 4
    with pytest.raises(ValueError, match="train split only.*give a folder with train and test files"):
        corpus.read(str(tmp_path / "mine.parquet"), "", "test")


def faulty(name, values):
    return xlsum().assign(**{name: values})


REFUSED = {
    "missing columns": (xlsum().drop(columns=["text", "summary"]), "no column text and summary; it has id, url, title"),
    "numbers": (faulty("id", [1, 2, 3, 4]), r"id is not text in 4 rows, first row 0 \(id '1'\); write it as a string"),
    "gaps": (faulty("summary", ["a", None, None, "b"]), r"summary is not text in 2 rows, first row 1 \(id 'uk-1'\)"),
    "blanks": (faulty("text", ["a", "b", " \n", "c"]), r"text is empty in 1 rows, first row 2 \(id 'uk-2'\); fill it"),
    "one id twice": (faulty("id", ["a", "b", "a", "c"]), r"id is not unique in 1 rows, first row 2 \(id 'a'\)"),
}


@pytest.mark.parametrize("write", [jsonl, parquet])
@pytest.mark.parametrize("fault", REFUSED)
def test_own_rows_that_cannot_be_used_are_refused(tmp_path, fault, write):
    rows, message = REFUSED[fault]
    write(rows, tmp_path / f"train.{write.__name__}")
    with pytest.raises(ValueError, match=message):
        corpus.read(str(tmp_path), "", "train")


def test_a_split_that_is_missing_twofold_or_unheard_of_is_refused(tmp_path):
    jsonl(xlsum(), tmp_path / "train.jsonl")
    with pytest.raises(ValueError, match=r"has no test split; it must hold one of test\.jsonl, test\.parquet"):
        corpus.read(str(tmp_path), "", "test")
    parquet(xlsum(), tmp_path / "train.parquet")
    with pytest.raises(ValueError, match=r"holds train\.jsonl and train\.parquet; it must hold one of"):
        corpus.read(str(tmp_path), "", "train")
    with pytest.raises(ValueError, match="split is 'dev'; choose from train, validation, test"):
        corpus.read(str(tmp_path), "", "dev")


def test_damaged_and_empty_files_are_refused(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(RuntimeError, match="cannot be read.*check that its train files are whole"):
        corpus.read(str(tmp_path), "", "train")
    jsonl(xlsum(0), tmp_path / "test.jsonl")
    with pytest.raises(RuntimeError, match="cannot be read.*check that its test files are whole .* with rows"):
        corpus.read(str(tmp_path), "", "test")
    for line, message in {"{": "line 5: Expecting property", '["a"]': r"line 5 is list, where {...} is wanted"}.items():
        jsonl(xlsum(), tmp_path / "validation.jsonl")
        with (tmp_path / "validation.jsonl").open("a") as file:
            file.write(line)
        with pytest.raises(RuntimeError, match=message):
            corpus.read(str(tmp_path), "", "validation")


def test_own_files_are_read_without_the_package_datasets(tmp_path, monkeypatch):
    """A machine with a GPU may lack it."""
    monkeypatch.setitem(sys.modules, "datasets", None)
    jsonl(xlsum(), tmp_path / "train.jsonl")
    parquet(xlsum(), tmp_path / "test.parquet")
    assert len(corpus.read(str(tmp_path), "", "train")) == len(corpus.read(str(tmp_path), "", "test")) == 4


@pytest.mark.parametrize("source", ["./nowhere", "/no/such/folder", "~/nowhere", "news", "a/b/c/d", "-a/b"])
def test_what_is_neither_there_nor_a_name_is_refused(source):
    for use in (lambda: corpus.resolve(source, ""), lambda: corpus.read(source, "", "train")):
        with pytest.raises(ValueError, match="no such folder or file, and no data set's name"):
            use()


def test_own_files_are_known_by_their_content(tmp_path):
    folder = tmp_path / "news"
    jsonl(xlsum(), folder / "train.jsonl")
    first = corpus.resolve(str(folder), "")
    assert first == {"source": str(folder), "revision": first["revision"], "licence": "unknown: see its source"}
    assert corpus.resolve(first["source"], first["revision"]) == first
    jsonl(xlsum(3), folder / "train.jsonl")
    assert corpus.resolve(str(folder), "")["revision"] != first["revision"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"holds no \.jsonl or \.parquet file"):
        corpus.resolve(str(tmp_path / "empty"), "")


def test_stories_need_no_licence():
    assert corpus.resolve("stories", "") == {
        "source": "stories",
        "revision": "",
        "licence": "made by this program, no licence needed",
    }


# --- the hub, which is not there -------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch):
    """Answers of the hub about a data set: (name, revision) asked for, and an error to raise."""
    from huggingface_hub import HfApi

    state = SimpleNamespace(asked=[], error=None)

    def dataset_info(self, name, *, revision, timeout):
        state.asked.append((name, revision))
        if state.error:
            raise state.error
        return SimpleNamespace(sha=COMMIT)

    monkeypatch.setattr(HfApi, "dataset_info", dataset_info)
    return state


def test_a_revision_is_resolved_to_a_commit_once(hub):
    found = corpus.resolve(XLSUM, "")
    assert found == {"source": XLSUM, "revision": COMMIT, "licence": "CC BY-NC-SA 4.0"}
    assert corpus.resolve(XLSUM, COMMIT) == found
    assert corpus.resolve("some/news", "v2")["licence"] == "unknown: see its source"
    assert hub.asked == [("csebuetnlp/xlsum", "refs/convert/parquet"), ("some/news", "v2")]


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("GatedRepoError", ValueError, "is gated: accept its conditions on https.*hf auth login"),
        ("RepositoryNotFoundError", ValueError, "no such folder here, and no such data set"),
        ("RevisionNotFoundError", ValueError, "has no revision refs/convert/parquet; leave it out"),
        ("HfHubHTTPError", RuntimeError, "the hub cannot be asked for a data set .*HfHubHTTPError: 500.*network"),
        ("OfflineModeIsEnabled", RuntimeError, "HF_HUB_OFFLINE, or download the parquet files elsewhere and give"),
    ],
)
def test_a_hub_that_does_not_help_is_explained(hub, name, kind, message):
    from huggingface_hub import errors

    response = {"response": SimpleNamespace(headers={}, request=None)}
    hub.error = getattr(errors, name)("500", **({} if name == "OfflineModeIsEnabled" else response))
    with pytest.raises(kind, match=message):
        corpus.resolve(XLSUM, "")


def test_rows_of_the_hub_come_by_the_parquet_conversion_and_unusable_ones_are_counted(tmp_path, monkeypatch):
    import datasets
    from huggingface_hub import HfApi, HfFileSystem

    rows = pd.concat([xlsum(6), xlsum(1)]).assign(summary=["a", "", "c", None, "e", "f", "g"])
    parquet(rows, tmp_path / "english" / "train" / "0000.parquet")
    monkeypatch.setattr(HfApi, "repo_info", lambda self, *given, **named: None)
    load = datasets.load_dataset

    def from_disk(kind, data_files, **rest):
        (url,) = data_files["rows"]
        address = HfFileSystem().resolve_path(url)
        assert (address.repo_type, address.repo_id, address.revision) == ("dataset", "csebuetnlp/xlsum", COMMIT)
        return load(kind, data_files={"rows": [str(tmp_path / address.path_in_repo)]}, **rest)

    monkeypatch.setattr(datasets, "load_dataset", from_disk)
    read = corpus.read(XLSUM, COMMIT, "train", tmp_path / "cache")
    assert read["id"].tolist() == ["uk-0", "uk-2", "uk-4", "uk-5"]
    assert read.attrs["dropped"] == {"empty": 2, "repeated_id": 1}
    parts = dict(zip(("generator", "pool"), corpus.divide(read, 0.5, 0, [0]), strict=True))
    assert corpus.facts(parts)["pool"]["dropped_by_reader"] == read.attrs["dropped"]
    assert any((tmp_path / "cache").iterdir())


def test_a_hub_that_cannot_be_read_is_explained(tmp_path, monkeypatch):
    import datasets

    def fail(*given, **named):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(RuntimeError, match=r"no route to host.*holds these files, or download the parquet files"):
        corpus.read("some/news", "", "train", tmp_path)


# --- parts of a corpus -----------------------------------------------------------------------------------------------


def test_parts_are_disjoint_random_and_in_order(made):
    generator, pool = corpus.divide(made, 0.25, 0, [1, 2])
    assert (len(generator), len(pool)) == (750, 2250)
    assert set(generator["id"]) | set(pool["id"]) == set(made["id"])
    for part in (generator, pool):
        pd.testing.assert_frame_equal(part, made[made["id"].isin(part["id"])].reset_index(drop=True))
    again, _ = corpus.divide(made, 0.25, 0, [1, 3])
    assert within(again["id"].isin(generator["id"]).mean(), 0.25, 750)


def test_parts_follow_from_seed_and_ids(made):
    generator, pool = corpus.divide(made, 0.25, 400, [1, 2])
    assert (len(generator), len(pool)) == (100, 300)
    mixed = corpus.divide(made[::-1], 0.25, 400, [1, 2])
    assert [set(part["id"]) for part in mixed] == [set(generator["id"]), set(pool["id"])]
    assert set(corpus.divide(made, 0.25, 200, [1, 2])[0]["id"]) < set(generator["id"])
    assert len(corpus.divide(made, 0.5, 10**6, [1])[1]) == 1500


def test_fresh_rows_are_those_that_are_left_over(made):
    parts = corpus.divide(made, 0.25, 400, [1, 2])
    fresh = corpus.set_aside(made, 300, 400, [1, 2])
    ids = pd.concat([part["id"] for part in (*parts, fresh)])
    assert (len(fresh), len(ids), ids.is_unique) == (300, 700, True)
    assert corpus.set_aside(made, 200, 400, [1, 2])["id"].isin(fresh["id"]).all()
    with pytest.raises(ValueError, match="301 fresh articles .* beyond 2700 labelled ones, and the source has 300"):
        corpus.set_aside(made, 301, 2700, [1, 2])


def test_some_rows_are_random_in_order_and_one_at_least(made):
    """Of rows sorted by length the part is no longer than the rest, by six standard errors: fails with 1e-8."""
    rows = made.sort_values("text", key=lambda texts: texts.str.len(), ignore_index=True)
    part = corpus.some(rows, 0.25, [3])
    assert len(part) == len(rows) / 4
    places = pd.Index(rows["id"]).get_indexer(part["id"])
    assert (np.diff(places) > 0).all()
    assert abs(places.mean() / len(rows) - 0.5) < 6 / np.sqrt(12 * len(part))
    assert len(corpus.some(rows, 1e-9, [3])) == 1
    assert not part.equals(corpus.some(rows, 0.25, [4]))


def test_rows_of_a_family_are_not_parted(made):
    """Of 600 families of five, one at most is cut. Drawn by row, 459 would be (standard deviation 10)."""
    rows = made.assign(family=[f"family {place // 5}" for place in range(len(made))])
    for seed in range(20):
        parts = [set(part["family"]) for part in corpus.divide(rows, 0.25, 0, [seed])]
        assert len(parts[0] & parts[1]) <= 1
    alone = corpus.divide(made, 0.25, 0, [0])[0]["id"]
    kin = rows.set_index("id")["family"]
    assert len(set(kin[alone]) & set(kin[~kin.index.isin(alone)])) > 300


@pytest.mark.parametrize(("share", "labelled"), [(0.0, 0), (1.0, 0), (0.1, 4), (0.5, 1)])
def test_an_empty_part_is_refused(made, share, labelled):
    with pytest.raises(ValueError, match=r"choose a share in \(0, 1\) and enough articles"):
        corpus.divide(made, share, labelled, [0])


def test_repetitions_and_shared_articles_are_counted():
    def part(*texts):
        return pd.DataFrame(
            {"id": list(texts), "text": texts, "summary": ["One  thing"] + ["one thing"] * (len(texts) - 1)}
        )

    parts = {"generator": part("a b", "A  B\n", "c"), "pool": part("d", "e f g"), "test": part("a b", "C", "h", "d")}
    found = corpus.facts(parts)
    assert found["shared_articles"] == {"generator and pool": 0, "generator and test": 2, "pool and test": 1}
    assert [found[name]["rows"] for name in ("generator", "pool", "test")] == [3, 2, 4]
    assert [found[name]["repeated_articles"] for name in ("generator", "pool", "test")] == [1, 0, 0]
    assert found["generator"]["repeated_references"] == 2
    assert found["pool"]["article_words"] == {"5 %": 3, "50 %": 3, "95 %": 3, "most": 3}
    assert json.loads(json.dumps(found)) == found
