"""What attacks cost: what each is answered, and what others, the processor and the memory feel of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from graphql import get_introspection_query

from bench.attacker import COUNTER, DIGEST, Assault, Met
from bench.load import VALUE
from bench.scale import Scale
from bench.scenarios import document, scenarios
from bench.servers import COUNTERFOIL, Server, serving
from bench.steady import Felt, Steady
from bench.stores import Stores

NAME = "attacks"
TITLE = "what attackers are answered, and what others feel"
STORE = "main"
# Others wait at most so many times as long as without the attack.
BEARABLE = 3
# Milliseconds of the server's processor for one refusal.
CHEAP = 5
_RATE = 50
_LISTED = 20
_ALONE_SECONDS = 0.5
_AFTERWARDS_SECONDS = 1.0
_INIT_SECONDS = 5.0
_ADMITTED = 400
_BULK = 100


@dataclass(frozen=True)
class Attack:
    """One way to attack. `known`: by somebody signed in. `alone`: one refusal at a time can be measured."""

    name: str
    body: str = ""
    kind: str = "requests"
    headers: str = ""
    known: bool = False
    connections: int = 8
    alone: bool = True
    least_seconds: float = 0.0
    bulk: int = 0


@dataclass(frozen=True)
class AttackFigure:
    """What was felt of an attack. Times in ms, memory in MiB; `others` are the others' p99, `quiet` before it."""

    dialect: str
    attack: Attack
    answers: dict[str, int]
    alone: float | None
    cpu: float | None
    quiet: float
    others: float
    failed: int
    memory: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        """How much longer others wait."""
        return self.others / self.quiet


def _asking(text: str, **more: Any) -> str:
    return json.dumps({"query": text, **more})


def _many(part: str, count: int) -> str:
    return " ".join(part.replace("#", str(number)) for number in range(count))


def _documents() -> Iterator[Attack]:
    """The same documents, as long as strangers may send and as people who are known may."""
    doubling = (f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}" for level in range(80))
    shapes: dict[str, Callable[[int], str]] = {
        "unknown fields": lambda size: "{" + _many("cusomer#", min(size, 500) - 2) + "}",
        "unknown types": lambda size: "{" + "... on Custommer { id } " * min(size // 10, 40) + "}",
        "unknown input fields": lambda size: "{ customers(orderBy: {" + _many("x#: 1", size // 3 - 5) + "}) { a } }",
        "unused fragments": lambda size: "{ a }" + _many("fragment F# on Query { a }", size // 7 - 1),
        "list of literals": lambda size: "{ nodes(ids: [" + '"x" ' * (size - 12) + "]) { unknown } }",
        "syntax error at the end": lambda size: "{ nodes(ids: [" + '"x" ' * (size - 12) + "]) { id }",
        "cycles": lambda size: "{ ...F0 }" + _many("fragment F# on Query { viewer { ...F0 } }", size // 11 - 1),
    }
    for name, shape in shapes.items():
        yield Attack(f"{name}, stranger", _asking(f"{shape(198)} #{COUNTER}"))
        yield Attack(f"{name}, signed in", _asking(f"{shape(990)} #{COUNTER}"), known=True)
    floods = {
        "fragments that double": " ".join(["{ ...F0 }", *doubling, "fragment F80 on Query { a }"]),
        "aliases": "{" + _many("a#: __typename", 300) + "}",
        "directives": "{ __typename " + "@skip(if: true) " * 140 + "}",
        "fields above the limit": "{" + "__typename " * 900 + "}",
        "deep selections": "{ a" * 300 + "}" * 300,
        "quotes without end": '"' + '\\"' * 8000,
        "objects that repeat": "{ viewer { " + "actor { name } " * 190 + "} }",
        "a document too long": "{ __typename }" + " " * 500_000,
    }
    for name, text in floods.items():
        yield Attack(name, _asking(f"{text} #{COUNTER}"), known=True)


def _bodies() -> Iterator[Attack]:
    mib = 2**20
    yield Attack("JSON nested 9,000 deep", "[" * 9000 + "]" * 9000)
    yield Attack("1 MiB of empty lists", "[" + "[]," * (mib // 3 - 2) + "0]")
    yield Attack("19,000 empty lists", "[" + "[]," * 9_000 + "0]")
    yield Attack("1 MiB of text", _asking("{ a }", variables={"a": "x" * (mib - 100)}))
    yield Attack("integers of 100,000 digits", '{"query": "{ __typename }", "variables": {"a": ' + "9" * 100_000 + "}}")
    yield Attack("100 MiB, announced", kind="plain", connections=4, bulk=_BULK, alone=False)
    yield Attack("100 MiB, chunked", kind="chunked", connections=4, bulk=_BULK, alone=False)
    for kind in ("bomb", "nested bomb"):
        packed = "Content-Encoding: gzip\r\n"
        yield Attack(f"100 MiB in gzip: {kind}", kind=kind, headers=packed, bulk=_BULK)
    yield Attack("100 bodies, a byte a second", kind="slow", connections=100, alone=False, least_seconds=3)
    yield Attack("headers of 20 kB", _asking("{ __typename }"), headers=f"X-Much: {'x' * 20_000}\r\n")
    yield Attack("400 headers", _asking("{ __typename }"), headers="".join(f"X-{n}: {n}\r\n" for n in range(400)))


def _others() -> Iterator[Attack]:
    yield Attack("introspection, the same again", _asking(get_introspection_query()), alone=False)
    yield Attack("introspection, a new one each time", _asking(f"{get_introspection_query()} #{COUNTER}"), alone=False)
    automatic = {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}
    yield Attack("persisted documents that nobody knows", json.dumps({"extensions": automatic}))
    wrong = 'mutation { signIn(input: { email: "EMAIL", password: "wrong password, wrong" }) { errors { code } } }'
    for name, email in (("one account", "nobody"), ("an account each", f"n{COUNTER}")):
        body = _asking(wrong.replace("EMAIL", f"{email}@example.com"))
        yield Attack(f"wrong passwords, {name}", body, alone=False)


def _sockets() -> Iterator[Attack]:
    init = _INIT_SECONDS + 4
    idle = Attack("1,000 sockets without connection_init", kind="sockets", connections=1000, alone=False)
    yield replace(idle, least_seconds=init)
    yield replace(idle, name="1,000 of them again", least_seconds=init)
    yield replace(idle, name=f"{_ADMITTED} sockets of somebody signed in", known=True, connections=_ADMITTED)


ATTACKS = (*_documents(), *_bodies(), *_others(), *_sockets())


def measure(stores: Stores, dialect: str, scale: Scale, report: Callable[[str], None]) -> list[AttackFigure]:
    """Attack a server on a copy of the database, in one way after the other."""
    settings = {"COUNTERFOIL_BODY_TIMEOUT": "2", "COUNTERFOIL_LOG_LEVEL": "info"}
    with ExitStack() as stack:
        served = []
        # Another server shows what one refusal costs: there they need not wait for their turn.
        for more in ({}, {"COUNTERFOIL_MAX_REFUSALS": "1000000"}):
            url = stack.enter_context(stores.copy(dialect, STORE))
            served.append(stack.enter_context(serving(COUNTERFOIL, url, {**settings, **more})))
        siege = _Siege(stores, dialect, (served[0], served[1]), scale, stack)
        figures = []
        for number, attack in enumerate(ATTACKS):
            report(f"{dialect}, {NAME}, {number + 1} of {len(ATTACKS)}: {attack.name}")
            figures.append(siege.under(attack))
        return figures


class _Siege:
    def __init__(
        self, stores: Stores, dialect: str, servers: tuple[Server, Server], scale: Scale, stack: ExitStack
    ) -> None:
        self._dialect = dialect
        self._server, self._unpaced = servers
        self._scale = scale
        self._token = stores.token
        self._attacker = stack.enter_context(_process("bench.attacker", nice=10))
        self._steady = stack.enter_context(_process("bench.steady"))
        self._counter = 0
        [listing] = scenarios(stores, "list")
        template = {**listing.variables, "first": _LISTED}
        lists = [json.dumps({"query": document("CustomerList"), "variables": template})]
        small = [_asking(document("Door"))] * 24
        self._bodies = [
            body
            for value in listing.values["main"]
            for body in (*small, *(text.replace(VALUE, value) for text in lists))
        ]
        self._others(1.0)
        self._quiet = self._others(10 * scale.seconds).p99

    def under(self, attack: Attack) -> AttackFigure:
        """Measure one refusal alone, and what others feel when there are many."""
        seconds = max(2 * self._scale.seconds + 1, attack.least_seconds)
        alone, cpu = self._alone(attack) if attack.alone else (None, None)
        before = self._server.memory
        _ask(self._attacker, self._assault(attack, attack.connections, seconds + 0.5))
        time.sleep(0.25)
        with self._watched() as peak:
            felt = self._others(seconds)
            met = Met(**_answer(self._attacker))
        time.sleep(_AFTERWARDS_SECONDS)
        memory = before, max(peak), self._server.memory
        return AttackFigure(self._dialect, attack, met.answers, alone, cpu, self._quiet, felt.p99, felt.failed, memory)

    def _others(self, seconds: float) -> Felt:
        _ask(self._steady, Steady(self._server.port, self._token, self._bodies, _RATE, seconds))
        return Felt(**_answer(self._steady))

    def _alone(self, attack: Attack) -> tuple[float | None, float | None]:
        """The time of one refusal, and the server's processor time for it: means over those of one connection."""
        before = self._unpaced.processor_time
        _ask(self._attacker, self._assault(attack, 1, _ALONE_SECONDS, self._unpaced))
        met = Met(**_answer(self._attacker))
        many, cpu = sum(met.answers.values()), self._unpaced.processor_time - before
        return met.seconds * 1000 / many, cpu * 1000 / many

    def _assault(self, attack: Attack, connections: int, seconds: float, server: Server | None = None) -> Assault:
        self._counter += 1_000_000
        token = self._token if attack.known else None
        return Assault(
            kind=attack.kind,
            port=(server or self._server).port,
            seconds=seconds,
            connections=connections,
            counter=self._counter,
            token=token,
            body=attack.body,
            headers=attack.headers,
            bulk=attack.bulk,
        )

    @contextmanager
    def _watched(self) -> Iterator[list[float]]:
        """What the server's memory is while the block runs."""
        seen = [self._server.memory]
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                seen.append(self._server.memory)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield seen
        finally:
            over.set()
            watching.join()


@contextmanager
def _process(module: str, nice: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that does jobs. Attackers have machines of their own: here they must not take the others' time."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if nice:
            os.setpriority(os.PRIO_PROCESS, process.pid, nice)
        yield process


def _ask(process: subprocess.Popen[str], job: Assault | Steady) -> None:
    if process.stdin is None:
        raise RuntimeError("the process has no pipes")
    process.stdin.write(json.dumps(asdict(job)) + "\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> Any:
    if process.stdout is None:
        raise RuntimeError("the process has no pipes")
    return json.loads(process.stdout.readline())


def rows(figures: Sequence[AttackFigure]) -> Iterator[Sequence[str]]:
    """The cells of a table, in the order of HEADS."""
    for figure in figures:
        answers = sorted(figure.answers.items(), key=lambda item: -item[1])
        before, peak, after = (f"{size:.0f}" for size in figure.memory)
        yield (
            figure.attack.name,
            ", ".join(answer for answer, _ in answers),
            f"{sum(figure.answers.values()):,}",
            "" if figure.alone is None else f"{figure.alone:.2f}",
            "" if figure.cpu is None else f"{figure.cpu:.2f}",
            f"{figure.quiet:.1f}",
            f"{figure.others:.1f}" + (f" ({figure.failed} failed)" if figure.failed else ""),
            f"{figure.ratio:.1f}",
            f"{before} / {peak} / {after}",
        )


HEADS = (
    "attack",
    "answered",
    "times",
    "alone ms",
    "CPU ms",
    "others' p99 before",
    "during, ms",
    "ratio",
    "MiB before / peak / after",
)
