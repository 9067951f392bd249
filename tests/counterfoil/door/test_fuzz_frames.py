"""WebSocket frames of any kind, against a real server: what is to stay open stays, the rest has its close code."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import strategies as st

from tests.client import Client
from tests.counterfoil.door.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Peer, frame, message, peer
from tests.counterfoil.door.fuzzing import assert_steady, drawn, many, real_server

pytestmark = pytest.mark.anyio

FEW = 120
AT_ONCE = 16
NAME = "{ __typename }"
_numbers = count()
FEED = "subscription { historyFeed { cursor } }"


class Piece(NamedTuple):
    """Bytes, and the codes of which one closes the socket because of them; none: it stays open."""

    data: bytes
    codes: frozenset[int] = frozenset()


class Case(NamedTuple):
    """Pieces of which only the last may close the socket, what follows all the same, and how it is cut for the wire."""

    pieces: list[Piece]
    rubbish: bytes
    cut: int


def closing(data: st.SearchStrategy[bytes], *codes: int) -> st.SearchStrategy[Piece]:
    return data.map(lambda sent: Piece(sent, frozenset(codes)))


def fragments(text: bytes, cuts: list[int], between: bytes) -> bytes:
    """One text in several frames, with a control frame after each but the last."""
    places = sorted({min(cut, len(text)) for cut in cuts})
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    sent = b""
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        sent += frame(CONTINUATION if number else TEXT, piece, fin=last) + (b"" if last else between)
    return sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NO_NULLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
IDS = st.sampled_from(["a", "b", "c", "\u2603" * 20, "x" * 128])
SMALL = st.binary(max_size=125)
CONTROL = st.builds(frame, st.sampled_from([PING, PONG]), SMALL)
# Further members are ignored.
HARMLESS = st.builds(
    lambda kind, further, payload: json.dumps({**further, "type": kind, "payload": payload}).encode(),
    st.sampled_from(["ping", "pong"]),
    st.dictionaries(NO_NULLS, st.integers(-9, 9) | NO_NULLS, max_size=3),
    st.none() | st.dictionaries(NO_NULLS, st.integers(-9, 9) | NO_NULLS, max_size=3),
)
ASKED = st.builds(
    lambda query, further: {"query": query, **further},
    st.sampled_from([NAME, "", "{", "{ nothing }", "query a { __typename } query b { __typename }"])
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.fixed_dictionaries(
        {},
        optional={
            "variables": st.none() | st.dictionaries(NO_NULLS, NO_NULLS, max_size=2),
            "operationName": st.none() | NO_NULLS,
            "extensions": st.none() | st.dictionaries(NO_NULLS, NO_NULLS, max_size=2),
            "unknown": NO_NULLS,
        },
    ),
)
OPEN = (
    CONTROL.map(Piece)
    | st.builds(fragments, HARMLESS, st.lists(st.integers(0, 60), max_size=5), CONTROL | st.just(b"")).map(Piece)
    | st.builds(lambda name: Piece(message({"type": "complete", "id": name})), IDS)
    # Each with an id of its own: whether another's is free again yet, nobody can tell.
    | ASKED.map(lambda asked: Piece(message({"type": "subscribe", "id": f"q{next(_numbers)}", "payload": asked})))
)
NOT_JSON = st.sampled_from([b"", b"{", b"nul", b"[" * 5000, b'{"type":"\\ud800"}', b'{"type":"ping"}x', b"NaN"])
NO_MESSAGE = (
    NOT_JSON
    | JSON.filter(lambda value: not isinstance(value, dict)).map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [
            {},
            {"type": None},
            {"type": "Ping"},
            {"type": "next", "id": "a", "payload": {}},
            {"type": "connection_ack"},
            {"type": "ping", "payload": "a"},
            {"type": "complete"},
            {"type": "complete", "id": ""},
            {"type": "complete", "id": ["a"]},
            {"type": "subscribe", "id": "a"},
            {"type": "subscribe", "id": "x" * 129, "payload": {"query": NAME}},
            {"type": "subscribe", "id": "a", "payload": {"query": 1}},
            {"type": "subscribe", "id": "a", "payload": {"query": NAME, "variables": []}},
        ]
    ).map(lambda value: json.dumps(value).encode())
)
BAD_CODES = st.sampled_from([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
GOOD_CODES = st.sampled_from([1000, 1001, 1002, 1003, 1008, 1010, 3000, 4000, 4999])
CLOSING = (
    closing(NO_MESSAGE.map(lambda text: frame(TEXT, text)), 4400)
    | closing(st.builds(frame, st.just(BINARY), SMALL), 4400)
    | closing(st.just(message({"type": "connection_init"})), 4429)
    | closing(st.just(message({"type": "subscribe", "id": "feed", "payload": {"query": FEED}})), 4409)
    # RFC 6455: 5.1 masks, 5.2 reserved bits and opcodes, 5.4 fragments, 5.5 control frames, 7.4 codes, 8.1 UTF-8.
    | closing(st.builds(frame, st.sampled_from([TEXT, BINARY, PING, CLOSE]), SMALL, masked=st.just(False)), 1002)
    | closing(st.builds(frame, st.sampled_from([TEXT, BINARY, PING]), SMALL, reserved=st.integers(1, 7)), 1002)
    | closing(st.builds(frame, st.sampled_from([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), SMALL), 1002)
    | closing(st.builds(frame, st.just(CONTINUATION), SMALL, fin=st.booleans()), 1002)
    | closing(SMALL.map(lambda data: frame(TEXT, b"{", fin=False) + frame(TEXT, data)), 1002)
    | closing(st.builds(frame, st.sampled_from([PING, PONG, CLOSE]), st.binary(min_size=126, max_size=300)), 1002)
    | closing(st.builds(frame, st.sampled_from([PING, PONG, CLOSE]), SMALL, fin=st.just(False)), 1002)
    | closing(st.binary(min_size=1, max_size=1).map(lambda data: frame(CLOSE, data)), 1002)
    | closing(BAD_CODES.map(lambda code: frame(CLOSE, code.to_bytes(2, "big") + b"why")), 1002)
    | closing(st.just(frame(CLOSE, b"\x03\xe8\xff")), 1007)
    | closing(
        st.sampled_from([b"\xff", b"\xc3(", b"\xed\xa0\x80", b'{"type": "\xfe"}', b"\xc3"]).map(
            lambda text: frame(TEXT, text)
        ),
        1007,
    )
    | closing(st.just(frame(TEXT, b'"\xc3', fin=False) + frame(CONTINUATION, b'("')), 1007)
    # More than COUNTERFOIL_MAX_BODY, announced or in pieces.
    | closing(
        st.sampled_from([b"\x81\xff" + b"\xff" * 8, b"\x82\xff" + (1 << 40).to_bytes(8, "big")]).map(
            lambda head: head + b"mask" + b"x" * 99
        ),
        1009,
        1002,
    )
    | closing(st.just(b"".join([frame(TEXT, b" " * 60_000, fin=False), frame(CONTINUATION, b" " * 60_000)])), 1009)
    | GOOD_CODES.map(lambda code: Piece(frame(CLOSE, code.to_bytes(2, "big") + "ä".encode()), frozenset({code})))
    | st.just(Piece(frame(CLOSE), frozenset({1005})))
)

# What follows the reason to close is thrown away, or, when it comes together with it, is a reason that goes first.
RUBBISH_CODES = {1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 3000, 4000, 4400, 4409, 4429, 4999}
CASES = st.builds(
    lambda pieces, last, rubbish, cut: Case([*pieces, *last], rubbish if last else b"", cut),
    st.lists(OPEN, max_size=6),
    st.lists(CLOSING, max_size=1),
    st.just(b"") | st.binary(max_size=60) | CLOSING.map(lambda piece: piece.data),
    st.sampled_from([1, 2, 7, 100, 10**9]),
)


async def met(port: int, token: str, case: Case) -> Peer:
    """A peer that has sent all of the case, and read until the socket was closed, or known to be open."""
    async with peer(port) as socket:
        await socket.send(message({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        await socket.next()
        assert socket.messages == [{"type": "connection_ack"}]
        await socket.send(message({"id": "feed", "type": "subscribe", "payload": {"query": FEED}}))
        data = b"".join(piece.data for piece in case.pieces) + case.rubbish
        cut = max(case.cut, len(data) // 200)
        for start in range(0, len(data), cut or 1):
            await socket.send(data[start : start + cut])
        codes = case.pieces[-1].codes if case.pieces else frozenset()
        if not codes:
            # Both the frames and the messages are still read.
            await socket.send(frame(PING, b"still open"))
            await socket.send(message({"id": "last", "type": "subscribe", "payload": {"query": NAME}}))
            while b"still open" not in socket.pongs or not any(said.get("id") == "last" for said in socket.messages):
                assert await socket.next(), socket.code
            await socket.send(frame(CLOSE, b"\x03\xe8"))
            codes = frozenset({1000})
        while await socket.next():
            pass
        assert socket.code in codes | (RUBBISH_CODES if case.rubbish else set()), socket.code
        await socket.ended()
        return socket


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_frames_of_any_kind_are_answered_or_close_the_socket_with_their_code(
    client: Client, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cases = await drawn(CASES, many(request, FEW))
    seen: set[int | None] = set()
    turns = asyncio.Semaphore(AT_ONCE)
    async with real_server(tmp_path, database_url, COUNTERFOIL_MAX_BODY="100000") as server:

        async def meet(case: Case) -> None:
            async with turns:
                try:
                    socket = await met(server.port, client.token or "", case)
                except (AssertionError, TimeoutError, OSError, EOFError) as error:
                    raise AssertionError(case) from error
            seen.add(socket.code)
            for said in socket.messages:
                assert said["type"] in ("connection_ack", "next", "error", "complete", "pong"), said
                assert "INTERNAL_ERROR" not in json.dumps(said), case

        async def half(part: list[Case]) -> None:
            await asyncio.gather(*map(meet, part))

        await assert_steady(server, half, cases)
    assert {1000, 1002, 1007, 1009, 4400} <= seen
