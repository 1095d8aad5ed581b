"""Where results say they come from."""

import json

from empirical.summarization import card


def test_provenance_is_passed_on_and_named_once(tmp_path):
    folders = {name: tmp_path / name for name in ("data", "base", "model", "test")}
    for folder in folders.values():
        folder.mkdir()
    card.write(folders["data"], "Data", {}, {}, {"rows": 3}, data={"name": "x", "revision": "abc", "licence": "CC"})
    card.write(folders["base"], "Base", {}, {}, {}, model={"name": "m", "revision": "", "licence": ""})
    inputs = {"data": folders["data"], "base": folders["base"]}
    card.write(folders["model"], "Model", {"a": 1}, inputs, {"steps": 5, "loss": 0.123456})
    card.write(folders["test"], "Test", {}, {"model": folders["model"], "data": folders["data"]}, {"rouge1": None})
    body = json.loads((folders["test"] / card.PROVENANCE).read_bytes())
    assert [entry["name"] for entry in body["data"]] == ["x"]
    assert [entry["name"] for entry in body["models"]] == ["m"]
    text = (folders["model"] / card.README).read_text()
    for words in (
        "| steps | 5 |",
        "| loss | 0.1235 |",
        "data: x at revision abc. Licence: CC",
        "model: m. Licence: unknown",
    ):
        assert words in text
