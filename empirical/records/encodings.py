"""Text in any of the Unicode encodings as blocks of UTF-8, checked: a byte that is no text is refused with its line."""

import codecs
from collections.abc import Callable

from empirical.records.faults import RecordsError

CHUNK = 1 << 20
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def guess(start: bytes) -> str:
    """The encoding by the mark at the start; without one by where the zeros of UTF-16 are, else UTF-8."""
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[::2], start[1::2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(zeros) > 1 and zeros.count(0) > 0.7 * len(zeros) and others.count(0) < 0.1 * len(others):
            return encoding
    return "utf-8"


class Text:
    """A stream of UTF-8 without a mark, made of what ``read(size)`` returns after ``start``; lines end with \\n.

    Raises RecordsError where a byte is no text.
    """

    def __init__(self, name: str, start: bytes, read: Callable[[int], bytes], encoding: str):
        """At its start."""
        self.notes: list[str] = []
        self._name, self._read, self._encoding = name, read, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._lines = 0
        self._returns = False
        self._ready = self._checked(start, final=not start)
        if b"\r" in self._ready[:-1] and b"\n" not in self._ready:
            self._returns = True
            self._ready = self._ready.replace(b"\r", b"\n")
            self.notes.append("lines end with carriage returns")

    def peek(self, size: int) -> bytes:
        """What comes next, which stays."""
        return self._ready[:size]

    def back(self, data: bytes) -> None:
        """Give back what was read last."""
        self._ready = data + self._ready

    def read(self, size: int = CHUNK) -> bytes:
        """About so many bytes; none at the end."""
        data = [self._ready]
        have, self._ready = len(self._ready), b""
        while have < size:
            raw = self._read(CHUNK)
            data.append(self._checked(raw, final=not raw))
            have += len(data[-1])
            if not raw:
                break
        whole = b"".join(data)
        return whole.replace(b"\r", b"\n") if self._returns else whole

    def _checked(self, raw: bytes, final: bool) -> bytes:
        try:
            text = self._decoder.decode(raw, final)
        except UnicodeDecodeError as error:
            self._refuse(error)
        if self._encoding == "utf-8" and not self._decoder.getstate()[0] and len(text) == len(raw):
            data = raw  # ASCII
        else:
            data = text.encode("utf-8", "surrogatepass")
        self._lines += data.count(b"\n")
        return data

    def _refuse(self, error: UnicodeDecodeError) -> None:
        raw: bytes = error.object
        if not self._encoding.startswith("utf-8"):
            raise RecordsError(f"{self._name} is no {self._encoding.upper()} text; save it as UTF-8") from None
        line = self._lines + raw.count(b"\n", 0, error.start) + 1
        raise RecordsError(
            f"{self._name} is not UTF-8 text: line {line} has the byte 0x{raw[error.start]:02X}; convert it, as by "
            "iconv -f WINDOWS-1252 -t UTF-8"
        ) from None
