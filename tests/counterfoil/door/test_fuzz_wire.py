"""Bytes on the wire, against a real server: each connection ends by itself, and no answer is a 5xx."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httptools
import pytest
from hypothesis import strategies as st

from tests.client import Client
from tests.counterfoil.door.frames import HANDSHAKE
from tests.counterfoil.door.fuzzing import assert_steady, drawn, many, real_server
from tests.counterfoil.door.socket import PATIENCE

pytestmark = pytest.mark.anyio

FEW = 120
AT_ONCE = 100

BODY = b'{"query":"{ __typename }"}'
LONG_HEADER = b"X: " + b"a" * 20_000
MANY_HEADERS = b"\r\n".join([b"X: a"] * 2000)
LONG_URL = b"/graphql?" + b"a=b&" * 5000


def mostly(good: bytes, *odd: bytes) -> st.SearchStrategy[bytes]:
    """The good one nine times out of ten: of a request with many faults only the first is seen."""
    return st.sampled_from([*[good] * (9 * len(odd)), *odd])


METHODS = mostly(b"POST", *b"GET OPTIONS PUT get PRI G\0T M-SEARCH CONNECT".split(), b"")
PATHS = b"/ /healthz /x/../graphql * // http://x/graphql http://[ http://a:99999999/ /\xe9 /%00 /% /graphql/ ? #"
QUERIES = b"/graphql?query=%7B__typename%7D /graphql?query=%ff&variables=%7B /graphql?\xff"
TARGETS = mostly(b"/graphql", *PATHS.split(), *QUERIES.split(), LONG_URL, b"")
VERSIONS = mostly(b"HTTP/1.1", *b"HTTP/1.0 HTTP/2.0 HTTP/9.9 HTTP/1.".split(), b"HTTP/1.1 x", b"")
ENDS = mostly(b"\r\n", b"\n", b"\r", b"\r\r\n", b"")
JUNK = st.binary(max_size=20)
LENGTHS = st.sampled_from([*b"0 3 26 26 27 100 -1 +3 0x3 3,3 1e3 2000000".split(), b"", b"9" * 30])
CODINGS = st.sampled_from([*b"chunked chunked Chunked gzip,chunked chunked,gzip identity chunked;q=1".split(), b""])
FRAMES = st.one_of(
    st.just([b"Content-Length: 26"]),
    LENGTHS.map(lambda value: [b"Content-Length: " + value]),
    CODINGS.map(lambda value: [b"Transfer-Encoding: " + value]),
    st.tuples(LENGTHS, CODINGS).map(lambda both: [b"Content-Length: " + both[0], b"Transfer-Encoding: " + both[1]]),
    st.lists(LENGTHS.map(lambda value: b"Content-Length: " + value), min_size=2, max_size=2),
)
ODD = """\
Expect: 100-continue|Expect: ÿ|Connection: close|Connection: keep-alive, ÿ|Connection: Upgrade\r\nUpgrade: h2c
Connection: Upgrade\r\nUpgrade: websocket|Upgrade: websocket|Host: ÿ[|Host:|Content-Encoding: gzip|Content-Encoding: br
Cookie: ÿ=þ;;=;|: nameless|no colon| folded: a\r\n b|X\0: a|X: a\0b|X Y: a|Origin: null|Range: bytes=0-
Accept: text/event-stream|Accept: none/none|Authorization: Bearer ÿ|Trailer: Content-Length|X-Request-Id: é
X-Forwarded-For: ÿ, ,|Content-Type: multipart/form-data; boundary=x|Content-Type: text/plain|Content-Type: ÿ"""
HEADERS = st.sampled_from([LONG_HEADER, MANY_HEADERS, *ODD.replace("\n", "|").encode("latin-1").split(b"|")]) | JUNK
GOOD_CHUNK = b"1a\r\n" + BODY + b"\r\n"
BAD_CHUNKS = b"zz -1 ffffffffffffffff1 5\r\nab 0\r\nX: 1a\n{".split(b" ")
CHUNKS = st.lists(st.sampled_from([GOOD_CHUNK, b"0\r\n\r\n", *BAD_CHUNKS, b"3;" + b"a" * 9000]) | JUNK, max_size=3)
CHUNKED = GOOD_CHUNK + b"0\r\n\r\n"
BODIES = st.one_of(st.sampled_from([BODY, BODY, CHUNKED, b"x" * 200_000]), CHUNKS.map(b"".join), st.just(BODY))
REQUESTS = st.builds(
    lambda line, frames, headers, body, end: end.join(
        [b" ".join(line), b"Host: x", *frames, b"Content-Type: application/json", *headers, b"", body]
    ),
    *(st.tuples(METHODS, TARGETS, VERSIONS), FRAMES, st.lists(HEADERS, max_size=1), BODIES, ENDS),
)
PLAIN = st.just(
    b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n" + BODY
)
HANDSHAKES = st.builds(
    HANDSHAKE.replace,
    st.sampled_from([*b"GET /graphql 1.1 Host websocket Upgrade Key NlI 13 -ws".split(), b"\r\n\r\n"]),
    JUNK | HEADERS.map(lambda header: b"\r\n" + header + b"\r\n\r\n"),
)
# What may come next on the same connection; where it is cut, and whether the client hangs up at the end, or waits.
CASES = st.tuples(
    st.lists(PLAIN, max_size=1).map(b"".join),
    st.one_of(REQUESTS, REQUESTS, REQUESTS, HANDSHAKES, JUNK),
    st.integers(0, 400),
    st.booleans(),
).map(lambda case: (case[0] + case[1], case[2], case[3]))


async def statuses(port: int, sent: bytes, cut: int, hangs_up: bool) -> list[int]:
    """The status codes that the server answers until it hangs up, or speaks WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = b""
    try:
        writer.write(sent[:cut])
        await asyncio.sleep(0)
        writer.write(sent[cut:])
        if hangs_up:
            writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            while b"HTTP/1.1 101 " not in answered and (some := await reader.read(65536)):
                answered += some
    except TimeoutError:
        raise
    except OSError:
        # It has not read all that was sent.
        pass
    finally:
        writer.close()
    found = Answers()
    found.read(answered)
    return found.statuses


class Answers:
    """Well-formed answers, one after another (RFC 9112, 4)."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self._parser = httptools.HttpResponseParser(self)

    def read(self, data: bytes) -> None:
        """Read all that has come. What is not an answer fails."""
        with suppress(httptools.HttpParserUpgrade):
            self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        self.statuses.append(self._parser.get_status_code())


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_bytes_of_any_kind_are_answered_or_the_connection_ends(
    client: Client, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cases = await drawn(CASES, many(request, FEW))
    seen: Counter[int] = Counter()
    turns = asyncio.Semaphore(AT_ONCE)
    patience = {"COUNTERFOIL_HEADER_TIMEOUT": "1", "COUNTERFOIL_BODY_TIMEOUT": "1"}
    async with real_server(tmp_path, database_url, **patience) as server:

        async def send(case: tuple[bytes, int, bool]) -> None:
            async with turns:
                try:
                    found = await statuses(server.port, *case)
                except (TimeoutError, httptools.HttpParserError) as error:
                    raise AssertionError(case) from error
            assert all(status < 500 for status in found), case
            seen.update(found)

        async def half(part: list[tuple[bytes, int, bool]]) -> None:
            await asyncio.gather(*map(send, part))

        await assert_steady(server, half, cases)
    assert {200, 400, 431} <= set(seen), seen
