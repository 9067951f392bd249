"""`doctor`: checks settings, database, migrations, guards and history, mends what it may, and says what to do else."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from audit import guard
from audit.drift import adopt, drift
from audit.verification import verify_events
from counterfoil import settings as settings_module
from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.opening import MIGRATE, must_exist, opened
from counterfoil.settings import Settings, read_settings
from models import Database, people, search_index
from models.version import version
from services.mail import Encryption

_NAMED = 10


@dataclass
class Findings:
    """What was found, printed as it is found. `healthy` until something stays wrong."""

    healthy: bool = True

    def ok(self, what: str, said: str) -> None:
        """All is well."""
        self._say("ok", what, said)

    def mended(self, what: str, said: str) -> None:
        """Something was wrong, and is not any more."""
        self._say("mended", what, said)

    def advice(self, what: str, said: str) -> None:
        """Nothing is wrong, but somebody may not have meant it so."""
        self._say("advice", what, said)

    def problem(self, what: str, said: str) -> None:
        """Something is wrong; `said` ends with what to do."""
        self.healthy = False
        self._say("problem", what, said)

    def _say(self, state: str, what: str, said: str) -> None:
        typer.echo(f"{state:<8} {what:<11} {said}")


@one_line_errors()
def doctor(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing: only say what is wrong.")] = False,
) -> None:
    """Check the installation. Exit code 1 when something is wrong that doctor could not mend."""
    findings = Findings()
    settings = read_settings()
    _check_settings(findings, settings)
    try:
        asyncio.run(_check_database(findings, settings, mend=not dry_run))
    except Refused as refusal:
        findings.problem("database", str(refusal))
    raise typer.Exit(0 if findings.healthy else 1)


def _check_settings(findings: Findings, settings: Settings) -> None:
    unknown = settings_module.unknown_variables(os.environ)
    if unknown:
        findings.problem("settings", f"no such setting: {', '.join(unknown)}. See docs/settings.md")
    if settings.workers > 1 and settings.on_sqlite:
        findings.problem("settings", "several workers need PostgreSQL. Unset COUNTERFOIL_WORKERS")
    if settings.host not in ("127.0.0.1", "localhost", "::1") and not settings.trusted_proxies:
        findings.advice("settings", "others can reach this host: serve them through a proxy that speaks HTTPS")
    if not unknown:
        findings.ok("settings", "all are known and valid")
    _check_mail(findings, settings)


def _check_mail(findings: Findings, settings: Settings) -> None:
    mail = settings.mail()
    if mail.smtp is None:
        findings.ok("mail", f"no mail server is set: messages are kept in {mail.maildir}")
        return
    how = {
        Encryption.IMPLICIT: "TLS",
        Encryption.REQUIRED: "STARTTLS",
        Encryption.OFFERED: "STARTTLS where offered",
        Encryption.OFF: "no encryption",
    }[mail.smtp.encryption]
    who = "signed in" if mail.smtp.user is not None else "not signed in"
    findings.ok("mail", f"from {mail.sender} through {mail.smtp.host}, port {mail.smtp.port}, {how}, {who}")
    if mail.portal_url is None:
        findings.advice("mail", "set COUNTERFOIL_PORTAL_URL: without it nobody gets a link to set a password")


async def _check_database(findings: Findings, settings: Settings, *, mend: bool) -> None:
    from counterfoil import migrating

    url = settings.database_url
    must_exist(settings)
    async with opened(settings) as database:
        findings.ok("database", f"{await version(database)}, {settings.shown_database_url}")
        if not await _check_migrations(findings, url):
            return
        await _check_guards(findings, database, lambda: migrating.install_guards(url) if mend else None)
        await _check_drift(findings, database, mend=mend)
        await _check_search(findings, database, lambda: migrating.install_search(url) if mend else None)
        await _check_history(findings, database)
        await _check_people(findings)


async def _check_migrations(findings: Findings, url: str) -> bool:
    from counterfoil import migrating

    applied, expected = await migrating.applied(url), migrating.expected(url)
    missing = [name for name in expected if name not in applied]
    if await migrating.unknown(url):
        findings.problem("migrations", "a newer version has migrated this database. Use that version, or a backup")
    elif missing:
        findings.problem("migrations", f"{len(missing)} of {len(expected)} have not run. Run: {MIGRATE}")
    else:
        findings.ok("migrations", f"all {len(expected)} have run")
        return True
    return False


async def _check_guards(findings: Findings, database: Database, mend: Callable[[], Awaitable[None] | None]) -> None:
    missing = await guard.missing(database)
    if not missing:
        findings.ok("guards", "all triggers are in place")
        return
    names = _some(missing)
    mending = mend()
    if mending is None:
        findings.problem("guards", f"missing or changed: {names}. Run doctor without --dry-run")
        return
    await mending
    left = await guard.missing(database)
    if left:
        findings.problem("guards", f"missing, and cannot be put back: {_some(left)}")
    else:
        findings.mended("guards", f"were missing or changed, and are back: {names}. Find out who removed them")


async def _check_drift(findings: Findings, database: Database, *, mend: bool) -> None:
    try:
        found = await drift(database)
    except ValueError as error:
        findings.problem("drift", f"{error}. Put it right by hand, then run doctor again")
        return
    if not found:
        findings.ok("drift", "the tables are what history says")
        return
    counts = Counter(f"{one.table.subject.value} {one.kind}" for one in found)
    said = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
    rows = _some([one.id for one in found])
    if not mend:
        findings.problem("drift", f"changed past the product: {said} ({rows}). Run doctor without --dry-run")
        return
    seqs = await adopt(database, found)
    left = await drift(database)
    if seqs:
        findings.mended("drift", f"changed past the product, and now in history as {len(seqs)} events: {said} ({rows})")
    if left:
        findings.problem("drift", f"could not be taken into history: {_some([one.id for one in left])}")


async def _check_search(findings: Findings, database: Database, mend: Callable[[], Awaitable[None] | None]) -> None:
    wrong = await search_index.missing(database) or await search_index.stale(database)
    if not wrong:
        findings.ok("search", "the index is what the rows say")
        return
    mending = mend()
    if mending is None:
        findings.problem("search", f"the index is not what the rows say: {_some(wrong)}. Run doctor without --dry-run")
        return
    await mending
    findings.mended("search", f"the index was made anew from the rows: {_some(wrong)}")


async def _check_history(findings: Findings, database: Database) -> None:
    problems = await verify_events(database)
    if not problems:
        findings.ok("history", "every event is whole and in order")
    for problem in problems[:_NAMED]:
        findings.problem("history", f"{problem}. Compare with a backup")
    if len(problems) > _NAMED:
        findings.problem("history", f"and {len(problems) - _NAMED} more")


async def _check_people(findings: Findings) -> None:
    number = await people.administrators()
    if number:
        findings.ok("users", f"{number} active administrators")
    else:
        findings.problem(
            "users", "no administrator can sign in. Run: python -m counterfoil user add --admin --email … --name …"
        )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
