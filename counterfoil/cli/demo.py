"""`demo`: an empty database filled with believable customers and two months of their history."""

from __future__ import annotations

import asyncio

from counterfoil.cli import progress, signing_in
from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.opening import up_to_date
from counterfoil.settings import Settings, read_settings
from services import passwords


@one_line_errors()
def demo() -> None:
    """Fill an empty database with 200 customers and two months of history."""
    asyncio.run(_demo(read_settings()))


async def _demo(settings: Settings) -> None:
    from services.demo import NotEmpty

    async with up_to_date(settings):
        try:
            await fill(settings)
        except NotEmpty:
            raise Refused(
                f"{settings.shown_database_url} is not empty, and the demo needs a database of its own."
                " Set DATABASE_URL to a new one."
            ) from None


async def fill(settings: Settings) -> None:
    """Fill the opened database and print how to sign in. NotEmpty when something has happened there."""
    from services import demo as service
    from services import documents

    documents.bind(settings.storage())
    password = passwords.generate_password()
    password_hash = await passwords.hash_password(password)
    with progress.shown("Filling the database with demo data: day") as report:
        accounts = await service.fill(password_hash, report)
    signing_in.show("Demo users, all with this password, shown only now:", accounts, password)
