"""The report: what was measured, on what, and what it says about the targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench import attacks, machine, mail
from bench.figures import Figure, Figures
from bench.load import CONNECTIONS
from bench.scale import CONTACTS_PER_CUSTOMER, Scale
from bench.scenarios import Scenario
from bench.servers import CACHED, COUNTERFOIL, FLOOR, PLAIN

_SEARCHES = ("search-rare", "search-frequent")
_DIALECTS = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def write_report(figures: Figures, scenarios: Sequence[Scenario], scale: Scale, databases: Mapping[str, str]) -> str:
    """The report in Markdown; of a partial run, what there is."""
    parts = ["# Benchmarks", "`python -m bench` wrote this file.", *_introduction(scale, databases)]
    for dialect, name in _DIALECTS.items():
        found = (figures.of(dialect=dialect), figures.batches_of(dialect), figures.mail_of(dialect))
        if any((*found, figures.attacks_of(dialect))):
            parts += [f"## {name}", *_tables(figures, dialect, scenarios, scale)]
    parts += ["## Targets", _table(("target", "measured", ""), _targets(figures))]
    parts += ["## Reading", "\n".join(f"- {sentence}" for sentence in _reading(figures))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _introduction(scale: Scale, databases: Mapping[str, str]) -> Iterator[str]:
    yield "\n".join(f"- {line}" for line in machine.describe(databases))
    yield (
        f"{scale.customers:,} customers with {scale.customers * CONTACTS_PER_CUSTOMER:,} contacts, and a"
        " few locations, notes, documents, quotes, orders and invoices of each customer; histories of"
        f" {scale.short:,} and {scale.long:,} events, as many for each customer. Both databases hold the same rows,"
        " written by the recorder. PostgreSQL has its own default settings, SQLite those of the product: both sync"
        " every commit."
    )
    yield (
        "Each server is one process (uvicorn, uvloop, httptools) on loopback, and checks the session of every request;"
        f" the load comes from another process over {CONNECTIONS} connections, where a table does not say otherwise."
        f" The servers of a table are measured in turn, {scale.rounds} rounds of {scale.seconds:g} seconds, after they"
        " have given the same answers. Figures are"
        " medians of the rounds. *CPU* is the serving process's own time for a request, without PostgreSQL's and the"
        " load generator's; *Counterfoil / this*: its rate divided by that of the row."
    )
    yield (
        f"*{COUNTERFOIL}*: `python -m counterfoil serve` with default settings and without background work, a line in"
        " the log for each request."
        f" *{FLOOR}*: a Starlette endpoint without GraphQL, with the same statements on the plain driver (sqlite3 on"
        " the event loop's thread, asyncpg's pool) and orjson; writes store the same row, event and details in one"
        f" transaction. *{PLAIN}*: types, resolvers and data loaders as its documentation has them, the same statements"
        " through aiosqlite or asyncpg. *caches on*: the same with its parser and validation caches."
    )


def _tables(figures: Figures, dialect: str, scenarios: Sequence[Scenario], scale: Scale) -> Iterator[str]:
    sizes = {"main": "", "short": f"{scale.short:,}", "long": f"{scale.long:,}"}
    for scenario in scenarios:
        found = figures.of(dialect=dialect, scenario=scenario.name)
        history = len(scenario.stores) > 1
        rows = [_row(figures, figure, sizes[figure.store] if history else None) for figure in found]
        heads = (
            "server",
            *(("events",) if history else ()),
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU ms",
            "Counterfoil / this",
        )
        if rows:
            yield f"### {scenario.name}: {scenario.title}{_connections(scenario)}"
            yield _table(heads, rows)
    for figure in figures.batches_of(dialect):
        yield f"### {figure.batch.name}: {figure.batch.title}"
        row = (f"{figure.number:,}", f"{figure.seconds:.2f}", f"{figure.number / figure.seconds:,.0f}")
        yield _table((figure.batch.things, "seconds", f"{figure.batch.things}/s"), [row])
    delivered = figures.mail_of(dialect)
    if delivered is not None:
        yield f"### {mail.NAME}: {mail.TITLE}"
        yield _table(("worker", "messages/s"), [("`python -m counterfoil worker`", f"{delivered.rate:,.0f}")])
    attacked = figures.attacks_of(dialect)
    if attacked:
        yield f"### {attacks.NAME}: {attacks.TITLE}"
        yield _table(attacks.HEADS, list(attacks.rows(attacked)))
    served = figures.memory_of(dialect)
    if served:
        yield f"### Memory after {scale.long:,} events"
        yield _table(("server", "MiB resident"), [(variant, f"{size:.0f}") for variant, size in served.items()])


def _connections(scenario: Scenario) -> str:
    return "" if scenario.connections == CONNECTIONS else f" (connections: {scenario.connections})"


def _row(figures: Figures, figure: Figure, events: str | None) -> tuple[str, ...]:
    ours = figures.one(figure.dialect, figure.scenario, COUNTERFOIL, figure.store)
    share = "" if ours is None or ours is figure else f"{ours.rate / figure.rate:.2f}"
    numbers = (f"{figure.rate:,.0f}", f"{figure.p50:.2f}", f"{figure.p99:.2f}", f"{figure.cpu:.2f}", share)
    return (figure.variant, *(() if events is None else (events,)), *numbers)


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    under = ["---" if place == 0 else "---:" for place in range(len(heads))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, under, *rows))


def _targets(figures: Figures) -> Iterator[tuple[str, str, str]]:
    update = figures.one("sqlite", "update", COUNTERFOIL)
    if update is not None:
        yield _target("updateContact on SQLite: at least 300 a second", update.rate, 300, "{:,.0f}/s")
    for dialect, name in _DIALECTS.items():
        for variant in (PLAIN, CACHED):
            ratio = figures.ratio(dialect, "list", variant)
            if ratio is not None:
                yield _target(f"list on {name}: at least as fast as {variant}", ratio, 1, "{:.2f}")
        for scenario in _SEARCHES:
            search = figures.one(dialect, scenario, COUNTERFOIL)
            if search is not None:
                yield _target(
                    f"{scenario} on {name}: p50 of one client at most 50 ms", search.p50, 50, "{:.2f} ms", most=True
                )
        ours, bare = (figures.one(dialect, "door", each) for each in (COUNTERFOIL, FLOOR))
        if ours is not None and bare is not None:
            over = ours.p50 - bare.p50
            yield _target(f"door on {name}: p50 at most 0.5 ms over that by hand", over, 0.5, "{:.2f} ms", most=True)
        for scenario in ("history", "history-view"):
            longer = figures.growth(dialect, scenario)
            if longer is not None:
                yield _target(
                    f"{scenario} on {name}: p50 of long at most 2 times that of short", longer, 2, "{:.2f}", most=True
                )
        yield from _targets_of_work(figures, dialect, name)
        served = figures.memory_of(dialect).get(COUNTERFOIL)
        if served is not None:
            yield _target(f"memory on {name}: at most 150 MiB", served, 150, "{:.0f} MiB", most=True)


def _targets_of_work(figures: Figures, dialect: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Of work that no request does, and of attacks."""
    attacked = figures.attacks_of(dialect)
    if attacked:
        worst = max(attacked, key=lambda figure: figure.ratio)
        what = f"{attacks.NAME} on {name}: others' p99 at most {attacks.BEARABLE} times as long ({worst.attack.name})"
        yield _target(what, worst.ratio, attacks.BEARABLE, "{:.1f}", most=True)
        for known, whose in ((False, "a stranger's"), (True, "somebody's who is signed in")):
            costs = [figure for figure in attacked if figure.cpu is not None and figure.attack.known is known]
            most = max(costs, key=lambda figure: figure.cpu or 0)
            what = f"{attacks.NAME} on {name}: a refusal at most {attacks.CHEAP} ms CPU, {whose} ({most.attack.name})"
            yield _target(what, most.cpu or 0, attacks.CHEAP, "{:.1f} ms", most=True)
    for figure in figures.batches_of(dialect):
        batch = figure.batch
        what = f"{batch.name} on {name}: {batch.number:,} {batch.things} in at most {batch.seconds:g} s"
        yield _target(what, figure.for_the_target, batch.seconds, "{:.2f} s", most=True)
    delivered = figures.mail_of(dialect)
    if delivered is not None:
        yield _target(f"{mail.NAME} on {name}: at least 100 messages a second", delivered.rate, 100, "{:,.0f}/s")


def _target(name: str, measured: float, limit: float, shown: str, *, most: bool = False) -> tuple[str, str, str]:
    met = measured <= limit if most else measured >= limit
    return name, shown.format(measured), "met" if met else "**missed**"


def _reading(figures: Figures) -> Iterator[str]:
    for dialect, name in _DIALECTS.items():
        for scenario in ("list", "one", "history"):
            plain, cached, floor = (figures.ratio(dialect, scenario, each) for each in (PLAIN, CACHED, FLOOR))
            if plain is not None and cached is not None and floor is not None:
                yield (
                    f"*{scenario}* on {name}: {plain:.1f} times plain Strawberry, {cached:.1f} times with its caches;"
                    f" the same answer by hand is {1 / floor:.0f} times as fast."
                )
        profile = figures.ratio(dialect, "profile", FLOOR)
        if profile is not None:
            yield (
                f"*profile* on {name}: all tabs with one query; the same answer by hand is {1 / profile:.1f} times as"
                " fast."
            )
        for scenario in _SEARCHES:
            found, same = (figures.one(dialect, scenario, each) for each in (COUNTERFOIL, FLOOR))
            if found is not None and same is not None:
                yield (
                    f"*{scenario}* on {name}: {found.p50:.1f} ms for one client; the same statements by hand take"
                    f" {same.p50:.1f} ms."
                )
        write, update = (figures.ratio(dialect, scenario, FLOOR) for scenario in ("write", "update"))
        if write is not None and update is not None:
            yield (
                f"Writing on {name}: by hand, createContact is {1 / write:.1f} and updateContact {1 / update:.1f} times"
                " as fast. What lies between is GraphQL, reading the answer after the commit, and the rules."
            )
    yield "Figures of different tables or days must not be compared: only what stands in one table ran side by side."
