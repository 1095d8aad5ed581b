"""`pstar audit FILE` with no column named: what to type, and what it says is what works."""

import json
import shlex
from pathlib import Path

from tests.pstar.command import in_one_process

LOGS = Path(__file__).parents[2] / "empirical" / "records" / "logs"
RECORDS = "id,correct,kept\n" + "".join(f"{row},{row % 3 > 0:d},{row % 2}\n" for row in range(12))


def test_what_it_says_can_be_typed(tmp_path):
    path = tmp_path / "my records.csv"
    path.write_text(RECORDS)
    [[code, said, _], [json_code, found, _]] = in_one_process([["audit", str(path)], ["audit", str(path), "--json"]])
    assert (code, json_code) == (0, 0)
    words = shlex.split(said.splitlines()[2])
    assert (
        words == json.loads(found)["command"] == ["pstar", "audit", str(path), "--correct", "correct", "--kept", "kept"]
    )
    [[code, said, _]] = in_one_process([words[1:]])
    assert code == 0
    assert said.startswith("1. Is most of what it keeps correct?")


def test_logs_and_refusals(tmp_path):
    (tmp_path / "empty.csv").write_text("correct,kept\n")
    [log, empty, none] = in_one_process(
        [["audit", str(LOGS / "promptfoo.json")], ["audit", str(tmp_path / "empty.csv")], ["audit", "no.csv"]]
    )
    assert "--correct passed.equals --kept passed.llm-rubric --group prompt" in log[1]
    assert "left out, as no scorer said anything of them: 1 of 10 entries" in log[1]
    assert (empty[0], none[0]) == (2, 2)
