"""The command line, in this process: what it does to the database, what it says, and how it fails."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from audit import Request
from audit.beginning import has_begun
from counterfoil import migrating
from counterfoil.cli.export_roles import README
from counterfoil.cli.export_schema import FILE
from models import Database, Row
from services import defaults, first_administrator
from services.sign_in import SignedIn, sign_in
from tests.audit.rows import disclosed, events
from tests.counterfoil.command_line import look, run

FIXTURES = Path(__file__).resolve().parents[1] / "services" / "quickbooks_online" / "fixtures"
PASSWORD = "correct horse battery staple 9"


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a migrated database, in the environment."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def empty_url(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database without tables, in the environment."""
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    return empty_database_url


def signed_in(url: str, email: str, password: str) -> SignedIn:
    async def work(_: Database) -> SignedIn:
        return await sign_in(email, password, Request.new())

    return look(url, work)


def all_events(url: str) -> list[Row]:
    return look(url, events)


def add_ada(*options: str) -> str:
    result = run(
        "user", "add", *options, "--email", "ada@example.com", "--name", "Ada", "--password-stdin", stdin=PASSWORD
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def test_help_names_every_command() -> None:
    said = run("--help").stdout
    commands = ("serve", "migrate", "user", "import", "documents", "demo", "export-schema", "export-roles", "doctor")
    for command in commands:
        assert command in said


def test_an_administrator_added_on_an_empty_database_can_sign_in(empty_url: str) -> None:
    assert PASSWORD not in add_ada("--admin")
    assert signed_in(empty_url, "ada@example.com", PASSWORD).token.startswith("cfs_")


def test_a_user_is_added_by_the_system_from_the_command_line(url: str) -> None:
    add_ada()

    async def last(database: Database) -> tuple[Row, dict[str, object]]:
        event = (await events(database))[-1]
        return event, (await disclosed(database, event["seq"]))[event["subject_id"]]

    event, details = look(url, last)
    assert (event["action"], event["actor_kind"], details["reason"]) == ("user.created", "SYSTEM", "Command line")
    assert details["password_hash"] == {"secret": True}
    assert "role_id" not in details


def test_without_a_password_one_is_generated_and_shown(url: str) -> None:
    said = run("user", "add", "--email", "ada@example.com", "--name", "Ada").stdout
    password = re.search(r"Password +(\S+)", said)
    assert password is not None
    assert signed_in(url, "ada@example.com", password[1])


@pytest.mark.parametrize(
    ("email", "name", "password", "said"),
    [
        ("ada", "Ada", PASSWORD, "email: Write an email address"),
        ("ada@example.com", " ", PASSWORD, "name: Write something here"),
        ("ada@example.com", "Ada", "", "password: Choose a password of at least 15"),
        ("ada@example.com", "Ada", "password password", "password: Choose another password"),
    ],
)
def test_a_user_that_cannot_be_added_is_refused_in_one_line(
    url: str, email: str, name: str, password: str, said: str
) -> None:
    result = run("user", "add", "--email", email, "--name", name, "--password-stdin", stdin=password)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"counterfoil: {said}")
    assert [event["action"] for event in all_events(url) if event["action"].startswith("user.")] == []


def test_the_same_email_cannot_be_added_twice(url: str) -> None:
    add_ada()
    result = run("user", "add", "--email", "ADA@example.com", "--name", "Ada")
    assert (result.exit_code, result.stderr) == (1, "counterfoil: email: Another user has this email address.\n")


def test_users_are_listed_with_role_and_state(url: str) -> None:
    add_ada("--admin")
    run("user", "add", "--email", "bob@example.com", "--name", "Bob [b]")
    run("user", "disable", "bob@example.com")
    rows = [line.split() for line in run("user", "list").stdout.splitlines()]
    assert rows[1][:4] == ["ada@example.com", "Ada", "Administrator", "active"]
    assert rows[2][:5] == ["bob@example.com", "Bob", "[b]", "none", "disabled"]


def test_a_disabled_user_is_disabled_once(url: str) -> None:
    add_ada()
    assert "cannot sign in any more" in run("user", "disable", "Ada@Example.com").stdout
    before = len(all_events(url))
    assert "was disabled already" in run("user", "disable", "ada@example.com").stdout
    assert len(all_events(url)) == before


def test_neither_an_unknown_user_nor_the_last_administrator_can_be_disabled(url: str) -> None:
    add_ada("--admin")
    assert run("user", "disable", "nobody").stderr == "counterfoil: There is no user nobody.\n"
    refused = run("user", "disable", "ada@example.com")
    assert (refused.exit_code, "last active administrator" in refused.stderr) == (1, True)


def test_migrate_says_what_ran_and_then_that_nothing_is_left(empty_url: str) -> None:
    path = sys.path[:]
    ran = re.findall("^ran (.+)$", run("migrate").stdout, re.MULTILINE)
    assert sorted(ran) == sorted(migrating.expected(empty_url))
    assert run("migrate").stdout.splitlines() == [run("migrate").stdout.strip()]
    assert sys.path == path
    assert not look(empty_url, lambda _: has_begun())


def test_an_import_counts_and_reports_problems_with_id_and_field(url: str) -> None:
    result = run("import", "quickbooks-online", str(FIXTURES / "customer-query.oddities.json"))
    assert result.exit_code == 0
    created, problems = re.findall(r"(\d+) created, 0 updated, 0 unchanged, (\d+) problems", result.stdout)[0]
    assert (int(created) > 3, int(problems)) == (True, len(re.findall("^problem: ", result.stderr, re.MULTILINE)))
    assert "problem: Id 201, WebAddr.URI: " in result.stderr
    again = run("import", "quickbooks-online", str(FIXTURES / "customer-query.oddities.json"))
    assert f"0 created, 0 updated, {created} unchanged" in again.stdout


@pytest.mark.parametrize(
    ("file", "options", "said"),
    [
        ("missing.json", [], "missing.json: No such file or directory"),
        ("fault.json", [], "fault.json: This is XML"),
        ("fault.json", ["--country", "Narnia"], "country: Write the two-letter code"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_one_line(
    tmp_path: Path, file: str, options: list[str], said: str
) -> None:
    (tmp_path / "fault.json").write_text("<IntuitResponse/>")
    result = run("import", "quickbooks-online", str(tmp_path / file), *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_first_administrator_is_made_once_and_only_when_nobody_is_there(empty_url: str) -> None:
    run("migrate")
    look(empty_url, lambda _: defaults.ensure())
    password = look(empty_url, lambda _: first_administrator.ensure())
    assert password is not None
    assert signed_in(empty_url, first_administrator.EMAIL, password)
    assert look(empty_url, lambda _: first_administrator.ensure()) is None


@pytest.mark.parametrize(
    ("bad_url", "said"),
    [
        ("oracle://ada:hidden@host/x", "DATABASE_URL: The database URL must begin with sqlite:/// or postgresql://."),
        ("postgresql://ada:hidden@127.0.0.1:1/x", "cannot use the database postgresql://ada@127.0.0.1:1/x: "),
        ("postgresql://ada:hidden@127.0.0.1:port/x", "cannot use the database postgresql://ada@127.0.0.1:port/x: "),
        ("sqlite:////missing-folder/x.db", "cannot use the database sqlite:////missing-folder/x.db: unable to open"),
    ],
)
@pytest.mark.parametrize("command", [["migrate"], ["demo"], ["serve", "--port", "0"]])
def test_a_database_that_cannot_be_used_is_one_line_without_the_password(
    monkeypatch: pytest.MonkeyPatch, bad_url: str, said: str, command: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", bad_url)
    result = run(*command)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.startswith(f"counterfoil: {said}")
    assert "hidden" not in result.output


def test_a_file_that_is_no_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.db").write_text("no database" * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/x.db")
    assert "x.db: file is not a database" in run("user", "list").stderr


def test_the_exported_schema_is_compared_and_written(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    assert run("export-schema", "--output", str(file)).exit_code == 0
    assert run("export-schema", "--output", str(file), "--check").exit_code == 0
    assert run("export-schema", "--output", "-").stdout == file.read_text("utf-8")
    file.write_text("type Query { other: Int }\n")
    stale = run("export-schema", "--output", str(file), "--check")
    assert (stale.exit_code, "schema.graphql is stale. Run: " in stale.stderr) == (1, True)
    assert FILE.name == "schema.graphql"


def test_the_table_of_roles_is_compared_and_written(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    shutil.copyfile(README, file)
    assert run("export-roles", "--file", str(file), "--check").exit_code == 0
    text = file.read_text("utf-8")
    file.write_text(text.replace("| `AUDIT_READ` |", "| `AUDIT_REED` |"))
    stale = run("export-roles", "--file", str(file), "--check")
    assert (stale.exit_code, "README.md is stale. Run: " in stale.stderr) == (1, True)
    assert run("export-roles", "--file", str(file)).exit_code == 0
    assert file.read_text("utf-8") == text
    file.write_text("Nothing.")
    assert "there is no place for the table" in run("export-roles", "--file", str(file)).stderr
    assert file.read_text("utf-8") == "Nothing."
