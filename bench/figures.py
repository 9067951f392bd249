"""The figures of a run, and the ratios between them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.attacks import AttackFigure
from bench.batches import BatchFigure
from bench.load import Outcome
from bench.mail import MailFigure
from bench.servers import COUNTERFOIL


@dataclass(frozen=True)
class Round:
    """One variant under load for a few seconds; `cpu` are the seconds that its process used."""

    outcome: Outcome
    cpu: float


@dataclass(frozen=True)
class Figure:
    """One variant in one scenario: medians over the rounds. `rate` in requests a second, the others in ms."""

    dialect: str
    scenario: str
    store: str
    variant: str
    rate: float
    p50: float
    p99: float
    cpu: float


class Figures:
    """What a run has measured so far."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []
        self._memory: dict[tuple[str, str], float] = {}
        self._batches: dict[str, list[BatchFigure]] = {}
        self._mail: list[MailFigure] = []
        self._attacks: list[AttackFigure] = []

    def add(self, dialect: str, scenario: str, store: str, variant: str, rounds: Sequence[Round]) -> None:
        """Take the medians of these rounds."""
        outcomes = [each.outcome for each in rounds]
        rate = statistics.median(outcome.requests / outcome.seconds for outcome in outcomes)
        p50 = statistics.median(outcome.p50 for outcome in outcomes)
        p99 = statistics.median(outcome.p99 for outcome in outcomes)
        cpu = statistics.median(each.cpu * 1000 / each.outcome.requests for each in rounds)
        self._figures.append(Figure(dialect, scenario, store, variant, rate, p50, p99, cpu))

    def add_memory(self, dialect: str, variant: str, mebibytes: float) -> None:
        """Keep the resident memory of a server on the long history."""
        self._memory[dialect, variant] = mebibytes

    def add_mail(self, figure: MailFigure) -> None:
        """Keep how fast a worker delivers."""
        self._mail.append(figure)

    def mail_of(self, dialect: str) -> MailFigure | None:
        """How fast a worker delivers from this database."""
        return next((figure for figure in self._mail if figure.dialect == dialect), None)

    def add_attacks(self, figures: Sequence[AttackFigure]) -> None:
        """Keep what attacks cost."""
        self._attacks += figures

    def attacks_of(self, dialect: str) -> list[AttackFigure]:
        """What attacks cost on this database."""
        return [figure for figure in self._attacks if figure.dialect == dialect]

    def memory_of(self, dialect: str) -> dict[str, float]:
        """The resident memory of each variant in MiB."""
        return {variant: size for (of, variant), size in self._memory.items() if of == dialect}

    def add_batch(self, dialect: str, figure: BatchFigure) -> None:
        """Keep how long a batch took."""
        self._batches.setdefault(dialect, []).append(figure)

    def batches_of(self, dialect: str) -> list[BatchFigure]:
        """How long each batch took."""
        return self._batches.get(dialect, [])

    def of(self, **wanted: str) -> list[Figure]:
        """The figures with these values."""
        return [
            figure for figure in self._figures if all(getattr(figure, name) == value for name, value in wanted.items())
        ]

    def one(self, dialect: str, scenario: str, variant: str, store: str | None = None) -> Figure | None:
        """One figure, or None; without `store` on the largest."""
        found = self.of(dialect=dialect, scenario=scenario, variant=variant, **({"store": store} if store else {}))
        return found[-1] if found else None

    def ratio(self, dialect: str, scenario: str, variant: str) -> float | None:
        """The product's rate divided by that of the variant."""
        ours, other = (self.one(dialect, scenario, each) for each in (COUNTERFOIL, variant))
        return ours.rate / other.rate if ours is not None and other is not None else None

    def growth(self, dialect: str, scenario: str) -> float | None:
        """The product's p50 on the long history divided by that on the short one."""
        short, long = (self.one(dialect, scenario, COUNTERFOIL, store) for store in ("short", "long"))
        return long.p50 / short.p50 if short is not None and long is not None else None
