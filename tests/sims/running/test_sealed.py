"""JSON with its own checksum: the bytes that folders of older versions hold, and nothing else opens."""

import json

import pytest

from sims.running.sealed import digest, seal, unseal

BODY = {"format": 2, "name": "é", "spans": [["a", 0, 3]], "made": {"seconds": 0.1}}
SEALED = b"""{
 "format": 2,
 "name": "\\u00e9",
 "spans": [
  [
   "a",
   0,
   3
  ]
 ],
 "made": {
  "seconds": 0.1
 },
 "check": "bb0d"
}"""


def test_the_bytes_are_those_that_folders_hold():
    check = digest(BODY)
    assert check == "92092da86b52b011d5d92389d3a323d67eec23011e26d2701693d04d68d7d47a"
    assert seal(BODY) == SEALED.replace(b"bb0d", check.encode())


def test_the_digest_knows_no_order_of_keys():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})


def test_what_was_sealed_opens():
    assert unseal(seal(BODY)) == BODY


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"null", b'{"format": 1, "check": "0"}', b"\xff"])
def test_what_certifies_nothing_does_not(data):
    with pytest.raises(ValueError, match=r"own checksum|Expecting value|codec"):
        unseal(data)


def test_an_edited_body_does_not():
    forged = json.loads(seal(BODY)) | {"name": "e"}
    with pytest.raises(ValueError, match="does not match its own checksum"):
        unseal(json.dumps(forged).encode())


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_what_is_nested_too_deeply_does_not(depth):
    with pytest.raises(ValueError, match=r"nested too deeply|own checksum"):
        unseal(b'{"check": "", "files": ' + b"[" * depth + b"]" * depth + b"}")
