"""Where bounce messages wait: a Maildir, an mbox file, a file with one message, or what somebody pipes in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# What a report says stands before the email that it returns: the rest of that is not needed.
LARGEST = 2 * 1024 * 1024

_INFO = re.compile(r":2,([A-Za-z]*)$")


def _stays() -> None:
    """What happens to a message that cannot be marked."""


@dataclass(frozen=True)
class Found:
    """A message: what it is called here, its bytes (the first LARGEST of them), and how it is marked as read."""

    name: str
    data: bytes
    mark: Callable[[], None] = _stays


def messages(path: Path) -> Iterator[Found]:
    """The messages at `path`. Of a Maildir those that are not marked as seen; an mbox stays as it is. OSError."""
    if not path.is_dir():
        with path.open("rb") as lines:
            yield from split(lines, path.name)
        return
    if not (path / "new").is_dir() or not (path / "cur").is_dir():
        raise NotADirectoryError(f"{path} is no Maildir: it has no folders `new` and `cur`")
    for file in sorted([*(path / "new").iterdir(), *(path / "cur").iterdir()]):
        flags = _INFO.search(file.name)
        if file.name.startswith(".") or (flags and "S" in flags[1]):
            continue
        try:
            with file.open("rb") as opened:
                data = opened.read(LARGEST)
        except FileNotFoundError:
            # Somebody else has taken it, or marked it.
            continue
        yield Found(file.name, data, _seen(path, file))


def split(lines: Iterable[bytes], name: str) -> Iterator[Found]:
    """The messages of an mbox, or the only message, from its lines."""
    number, size, kept = 0, 0, list[bytes]()
    is_mbox, after_blank = False, True
    for line in lines:
        begins = line.startswith(b"From ")
        if begins and ((is_mbox and after_blank) or (number == 0 and not kept)):
            if kept:
                yield _message(name, number, kept)
            is_mbox, number, size, kept = True, number + 1, 0, []
        else:
            if size < LARGEST:
                kept.append(line[: LARGEST - size])
            size += len(line)
        after_blank = not line.strip()
    if kept:
        yield _message(name, number, kept)


def _message(name: str, number: int, kept: list[bytes]) -> Found:
    return Found(f"{name}, message {number}" if number else name, b"".join(kept))


def _seen(folder: Path, file: Path) -> Callable[[], None]:
    """Move the file to `cur`, with the flag that it was seen."""
    flags = _INFO.search(file.name)
    marked = "".join(sorted({*(flags[1] if flags else ""), "S"}))
    target = folder / "cur" / f"{_INFO.sub('', file.name)}:2,{marked}"

    def mark() -> None:
        if file.exists():
            file.rename(target)

    return mark
