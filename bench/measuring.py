"""Measuring: every variant's answer is compared with the product's, then all are loaded in turn."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import count
from typing import Any

from bench.batches import Batch
from bench.figures import Figures, Round
from bench.load import COUNTER, VALUE, Job, Outcome
from bench.scale import Scale
from bench.scenarios import Scenario
from bench.servers import COUNTERFOIL, Server, serving
from bench.stores import Stores

_COMPARED = 3
_NEW_ID = re.compile(r"\b(con|mth|req)_[0-9a-z]{26}\b")


class Measuring:
    """A run: figures come together in `figures`."""

    def __init__(
        self, stores: Stores, scale: Scale, generator: subprocess.Popen[str], report: Callable[[str], None]
    ) -> None:
        self.figures = Figures()
        self._stores = stores
        self._scale = scale
        self._generator = generator
        self._report = report
        # Rises through the run, so that no two writes are alike.
        self._counter = count(1_000_000, 1_000_000)

    def measure(self, dialect: str, together: Sequence[Scenario]) -> None:
        """Measure scenarios that use the same servers."""
        with ExitStack() as stack:
            servers = {
                (store, variant): stack.enter_context(self._server(dialect, store, variant, together[0].writes))
                for store in together[0].stores
                for variant in together[0].variants
            }
            # All before the load: afterwards the servers have written different numbers of events.
            for scenario in together:
                self._compare(scenario, servers)
            for scenario in together:
                self._load(dialect, scenario, servers)
            for (store, variant), server in servers.items():
                if store == "long":
                    self.figures.add_memory(dialect, variant, server.memory)

    def measure_batch(self, dialect: str, batch: Batch) -> None:
        """Measure a batch, on a copy of its database."""
        self._report(f"{dialect}, {batch.name}")
        with self._stores.copy(dialect, batch.store) as url:
            self.figures.add_batch(dialect, batch.measure(url, self._scale.rounds))

    @contextmanager
    def _server(self, dialect: str, store: str, variant: str, writes: bool) -> Iterator[Server]:
        with ExitStack() as stack:
            url = stack.enter_context(self._stores.copy(dialect, store)) if writes else self._stores.url(dialect, store)
            yield stack.enter_context(serving(variant, url))

    def _compare(self, scenario: Scenario, servers: Mapping[tuple[str, str], Server]) -> None:
        """RuntimeError unless all variants give the same answers."""
        for store in scenario.stores:
            number = next(self._counter)
            for place in range(min(_COMPARED, len(scenario.values[store]))):
                expected: Any = None
                for variant in scenario.variants:
                    job = scenario.job(servers[store, variant], store, self._stores.token, number, 0)
                    answer = _ask(job, place)
                    if scenario.writes:
                        answer = json.loads(_NEW_ID.sub(r"\1", json.dumps(answer)))
                    expected = answer if variant == COUNTERFOIL else expected
                    if answer.get("errors") or answer.get("data") != expected["data"]:
                        raise RuntimeError(f"{scenario.name}: {variant} differs. {_difference(expected, answer)}")

    def _load(self, dialect: str, scenario: Scenario, servers: Mapping[tuple[str, str], Server]) -> None:
        rounds: dict[tuple[str, str], list[Round]] = {key: [] for key in servers}
        for (store, _), server in servers.items():
            self._run(scenario, store, server, self._scale.warmup)
        for number in range(self._scale.rounds):
            for key, server in servers.items():
                self._report(f"{dialect}, {scenario.name}, round {number + 1} of {self._scale.rounds}: {key[1]}")
                before = server.processor_time
                outcome = self._run(scenario, key[0], server, self._scale.seconds)
                rounds[key].append(Round(outcome, server.processor_time - before))
        for (store, variant), each in rounds.items():
            self.figures.add(dialect, scenario.name, store, variant, each)

    def _run(self, scenario: Scenario, store: str, server: Server, seconds: float) -> Outcome:
        job = scenario.job(server, store, self._stores.token, next(self._counter), seconds)
        if self._generator.stdin is None or self._generator.stdout is None:
            raise RuntimeError("the load generator has no pipes")
        self._generator.stdin.write(json.dumps(asdict(job)) + "\n")
        self._generator.stdin.flush()
        outcome = Outcome(**json.loads(self._generator.stdout.readline()))
        if outcome.error is not None:
            raise RuntimeError(f"{scenario.name}: {server.variant} answered {outcome.error}")
        return outcome


@contextmanager
def load_generator() -> Iterator[subprocess.Popen[str]]:
    """The load generator's process."""
    command = [sys.executable, "-m", "bench.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def _ask(job: Job, place: int) -> Any:
    body = job.template.replace(VALUE, job.values[place]).replace(COUNTER, str(job.counter + place))
    headers = {"Authorization": f"Bearer {job.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{job.port}{job.path}", body.encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def _difference(expected: Any, answer: Any) -> str:
    texts = [json.dumps(value, ensure_ascii=False) for value in (expected, answer)]
    differs = next((place for place, (one, two) in enumerate(zip(*texts, strict=False)) if one != two), 0)
    begin = max(0, differs - 80)
    return "Expected … {}, got … {}".format(*(text[begin : begin + 200] for text in texts))
