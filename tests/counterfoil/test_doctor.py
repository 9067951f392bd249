"""`doctor`: what it finds, what it mends, and what it says to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from audit import DATABASE, guard
from audit.drift import drift
from counterfoil import migrating
from models import Customer
from tests.audit.intruder import Run, intruder, unguarded
from tests.audit.rows import events, new
from tests.counterfoil.command_line import look, run


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a migrated database with an administrator, in the environment."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    run("user", "add", "--admin", "--email", "ada@example.com", "--name", "Ada")
    return database_url


def force(url: str, work: Callable[[Run], Awaitable[object]], *, keep_guards: bool = True) -> None:
    async def forced() -> None:
        async with (unguarded if keep_guards else intruder)(url) as session:
            await work(session)

    asyncio.run(forced())


def findings(*options: str) -> tuple[int, dict[str, str]]:
    """Exit code, and the last state that was said of each thing."""
    result = run("doctor", *options)
    return result.exit_code, {line.split()[1]: line.split()[0] for line in result.stdout.splitlines()}


def test_a_healthy_database_is_all_right(url: str) -> None:
    before = len(look(url, events))
    assert findings() == (
        0,
        dict.fromkeys(
            ("settings", "mail", "database", "migrations", "guards", "drift", "search", "history", "users"), "ok"
        ),
    )
    assert len(look(url, events)) == before


def test_a_row_that_was_changed_past_the_product_is_taken_into_history(url: str) -> None:
    customer = look(url, lambda _: new(Customer))
    force(url, lambda run: run(f"UPDATE customer SET name = 'Forced' WHERE id = '{customer['id']}'"))
    code, found = findings("--dry-run")
    assert (code, found["drift"]) == (1, "problem")
    assert look(url, drift) != []
    said = run("doctor")
    assert said.exit_code == 0
    assert f"now in history as 1 events: 1 customer updated ({customer['id']})" in said.stdout
    event = look(url, events)[-1]
    assert (event["action"], event["actor_kind"]) == ("customer.updated", DATABASE.kind.value)
    assert findings()[1]["drift"] == "ok"


def test_guards_that_were_removed_are_put_back(url: str) -> None:
    table = "" if url.startswith("sqlite:") else ' ON "customer"'
    name = "guard_customer_update" if url.startswith("sqlite:") else "guard_customer"
    force(url, lambda run: run(f"DROP TRIGGER {name}{table}"), keep_guards=False)
    code, found = findings("--dry-run")
    assert (code, found["guards"]) == (1, "problem")
    said = run("doctor")
    assert (said.exit_code, f"are back: {name}." in said.stdout) == (0, True)
    assert look(url, guard.missing) == []


def test_a_search_index_that_is_gone_or_wrong_is_made_anew(url: str) -> None:
    on_sqlite = url.startswith("sqlite:")
    damages = ["DROP INDEX contact_search"]
    if on_sqlite:
        one = "(rowid, search_key) VALUES (7, 'nobody')"
        damages = [
            "DROP TRIGGER search_contact_update",
            f"INSERT INTO customer_search {one}",
            "DROP TABLE contact_search",
        ]
    for damage in damages:
        force(url, lambda run, damage=damage: run(damage), keep_guards=False)  # type: ignore[misc]
        code, found = findings("--dry-run")
        assert (code, found["search"]) == (1, "problem"), damage
        code, found = findings()
        assert (code, found["search"]) == (0, "mended"), damage
        assert findings()[1]["search"] == "ok", damage


def test_a_damaged_history_stays_a_problem(url: str) -> None:
    force(url, lambda run: run("UPDATE event SET leaf_hash = 'forged' WHERE seq = 3"))
    result = run("doctor")
    assert result.exit_code == 1
    assert "event 3: the hash is not that of the leaf. Compare with a backup" in result.stdout


def test_many_problems_are_counted(url: str) -> None:
    for _ in range(6):
        look(url, lambda _: new(Customer))
    force(url, lambda run: run("UPDATE event SET leaf_hash = 'forged'"))
    lines = [line for line in run("doctor").stdout.splitlines() if line.split()[1] == "history"]
    assert len(lines) == 11
    assert lines[-1].endswith("more")


def test_nobody_who_can_administrate_is_a_problem(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    result = run("doctor")
    assert result.exit_code == 1
    assert "Run: python -m counterfoil user add --admin" in result.stdout


def test_missing_migrations_are_told_and_not_run(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    if empty_database_url.startswith("sqlite:"):
        assert "does not exist. Run: python -m counterfoil migrate" in run("doctor").stdout
        look(empty_database_url, guard.missing)  # opening makes the file
    result = run("doctor")
    assert result.exit_code == 1
    number = len(migrating.expected(empty_database_url))
    assert f"{number} of {number} have not run. Run: python -m counterfoil migrate" in result.stdout
    assert asyncio.run(migrating.applied(empty_database_url)) == []


def test_a_database_of_a_newer_version_is_told_and_no_command_touches_it(url: str) -> None:
    force(
        url,
        lambda run: run("INSERT INTO migration (name, app_name, ran_on) VALUES ('2099', 'models', CURRENT_TIMESTAMP)"),
        keep_guards=False,
    )
    assert findings()[1]["migrations"] == "problem"
    for command in (["user", "list"], ["migrate"], ["serve", "--port", "0"]):
        result = run(*command)
        assert (result.exit_code, "a newer version" in result.stderr) == (1, True)


def test_settings_are_judged(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_PROT", "8000")
    monkeypatch.setenv("COUNTERFOIL_HOST", "0.0.0.0")
    monkeypatch.setenv("COUNTERFOIL_WORKERS", "2")
    result = run("doctor")
    said = [line for line in result.stdout.splitlines() if line.split()[1] == "settings"]
    assert result.exit_code == 1
    assert "no such setting: COUNTERFOIL_PROT. See docs/settings.md" in said[0]
    assert any("several workers need PostgreSQL" in line for line in said) == url.startswith("sqlite:")
    assert any(line.startswith("advice") and "HTTPS" in line for line in said)


def test_a_database_out_of_reach_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    assert findings() == (1, {"settings": "ok", "mail": "ok", "database": "problem"})


def test_how_mail_leaves_is_told_without_the_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SMTP_URL", "smtp://ada:hidden@mail.example.com")
    monkeypatch.setenv("COUNTERFOIL_MAIL_SENDER", "accounts@example.com")
    said = run("doctor").stdout
    assert "from accounts@example.com through mail.example.com, port 587, STARTTLS, signed in" in said
    assert "set COUNTERFOIL_PORTAL_URL: without it nobody gets a link to set a password" in said
    assert "hidden" not in said
