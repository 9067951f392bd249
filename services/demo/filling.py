"""Filling an empty database: the first days, two months of work, up to now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import islice
from operator import itemgetter

from audit import SYSTEM, Change, Request, transact
from audit.beginning import has_begun
from models import Contact, Customer, Row, clock
from services import contact_roles, defaults, passwords
from services.demo import activities, books, calendar, correspondence, order_desk, texts
from services.demo.customers import Profile, entered_again, profile
from services.demo.desk import Desk
from services.demo.fiction import Fiction
from services.demo.office import staff
from services.quickbooks_online import importing
from services.quickbooks_online.customer_query import CustomerRecord, Reading
from services.user_roles import BUILT_IN

CUSTOMERS = 200
_SYNCED = 120
_NEW_EACH_DAY = 2
_MET_EACH_DAY = 10
# Which of those entered here are duplicates.
_AGAIN = frozenset({10, 30})
_BUSY = (11, 19)
_SERVED = (4, 9)
_WRITTEN = (1, 3)
_SYNC = time(8, 2, tzinfo=UTC)

Work = Callable[[], Awaitable[object]]
Report = Callable[[int, int], None]


class NotEmpty(Exception):
    """The database has a history already."""


def _unseen(done: int, total: int) -> None:
    """What progress is told to when nobody watches."""


async def fill(password_hash: str, report: Report = _unseen) -> list[tuple[str, str]]:
    """Fill the bound database and document storage: (role, email) of each user, who all have the password of this hash.

    NotEmpty when anything has happened there. `report` is called with the days that are done and their number.
    """
    if await has_begun():
        raise NotEmpty("The demo needs an empty database.")
    now = clock.now()
    days = calendar.working_days(now)
    fiction = Fiction()
    desk = await _open(days[0], fiction, password_hash)
    records = await _import(days[0], desk)
    arrivals = _arrivals(desk)
    for number, day in enumerate(days):
        # Whatever today's time is, all customers are there.
        new = list(islice(arrivals, _NEW_EACH_DAY if number < len(days) - 2 else CUSTOMERS))
        for at, work in _day(desk, day, number, new, records):
            if at < now:
                with _at(at):
                    await work()
        report(number + 1, len(days))
    return [(BUILT_IN[member.role][0], member.email) for member in desk.office.members]


def _arrivals(desk: Desk) -> Iterator[Profile]:
    """The customers that are entered here; some companies had come from QuickBooks before."""
    known = [made_up for made_up in desk.profiles.values() if made_up.is_company]
    for number in range(CUSTOMERS - _SYNCED):
        yield entered_again(known[number]) if number in _AGAIN else profile(desk.fiction)


async def _open(day: date, fiction: Fiction, password_hash: str) -> Desk:
    """The first morning: what exists from the start, users, contact roles."""
    with _time(day, "08:00"):
        await defaults.ensure()
    with _time(day, "08:04"):
        office = await staff(fiction.random, password_hash)
    desk = Desk(office, fiction, [], await passwords.hash_password(texts.SAID_WHEN_ORDERING))
    with _time(day, "08:41"):
        desk.role_ids = await desk.manager.act(_contact_roles)
    return desk


async def _contact_roles(change: Change) -> list[str]:
    ids = []
    for name, invoices, communication in texts.CONTACT_ROLES:
        given = {"name": name, "invoice_presentment": invoices, "communication": communication}
        ids.append((await contact_roles.create(change, given))["id"])
    return ids


async def _import(day: date, desk: Desk) -> dict[str, CustomerRecord]:
    """The first sync with QuickBooks Online: the records by customer id."""
    made_up = [profile(desk.fiction) for _ in range(_SYNCED)]
    records = [books.record(one, number, desk.fiction) for number, one in enumerate(made_up, start=1)]
    with _time(day, "09:05"):
        await importing.apply(Reading(records, []))
    rows = {row["origin_external_id"]: row for row in await _synced(Customer)}
    desk.people += await _synced(Contact)
    by_id = {rows[record.external_id]["id"]: record for record in records}
    desk.synced.update(by_id)
    desk.profiles.update(zip(by_id, made_up, strict=True))
    return by_id


async def _synced(table: type[Customer] | type[Contact]) -> list[Row]:
    async def work(change: Change) -> list[Row]:
        return await change.where(table, origin_system=importing.SYSTEM)

    return sorted((await transact(SYSTEM, Request.new(), work))[0], key=lambda row: int(row["origin_external_id"]))


def _day(
    desk: Desk, day: date, number: int, arrivals: Sequence[Profile], records: dict[str, CustomerRecord]
) -> list[tuple[datetime, Work]]:
    """What happens on the working day of this number, in order of time."""
    random = desk.fiction.random
    plan: list[tuple[datetime, Work]] = []
    if number:
        plan += _sign_ins(desk, day)
    if number and day.weekday() == 0:
        plan.append((datetime.combine(day, _SYNC), partial(_sync, desk, records)))
    if number in activities.ONCE:
        plan.append((calendar.moment(random, day), partial(activities.ONCE[number], desk)))
    work: list[Work] = [partial(desk.take_on, one) for one in arrivals]
    companies = [one for one in records if desk.profiles[one].is_company]
    for one in companies[number * _MET_EACH_DAY : (number + 1) * _MET_EACH_DAY]:
        work.append(partial(desk.meet_staff, one, random.randint(1, 3)))
        if desk.fiction.chance(0.3):
            work.append(partial(desk.learn_locations, one))
    kinds = list(activities.OFTEN)
    chosen = random.choices(kinds, [activities.OFTEN[kind] for kind in kinds], k=random.randint(*_BUSY))
    work += [partial(kind, desk) for kind in chosen]
    desk_kinds = list(order_desk.OFTEN)
    served = random.choices(desk_kinds, list(order_desk.OFTEN.values()), k=random.randint(*_SERVED))
    work += [partial(kind, desk) for kind in served]
    if number:
        kinds = list(correspondence.OFTEN)
        written = random.choices(kinds, list(correspondence.OFTEN.values()), k=random.randint(*_WRITTEN))
        work += [partial(kind, desk) for kind in written]
    plan += [(calendar.moment(random, day), one) for one in work]
    return sorted(plan, key=itemgetter(0))


def _sign_ins(desk: Desk, day: date) -> Iterator[tuple[datetime, Work]]:
    for member in desk.office.members:
        if not desk.fiction.chance(0.85):
            continue
        at = calendar.moment(desk.fiction.random, day, calendar.OPENS, calendar.SETTLED)
        if desk.fiction.chance(0.04):
            yield at - timedelta(seconds=12), member.mistype_password
        yield at, member.sign_in


async def _sync(desk: Desk, records: dict[str, CustomerRecord]) -> None:
    """Somebody has worked on some customers in QuickBooks."""
    for customer_id in desk.fiction.random.sample(list(records), 6):
        country = desk.profiles[customer_id].country
        records[customer_id] = books.changed(records[customer_id], country, desk.fiction)
    await importing.apply(Reading(list(records.values()), []))


def _time(day: date, hour: str) -> AbstractContextManager[None]:
    return _at(datetime.combine(day, time.fromisoformat(hour), UTC))


def _at(at: datetime) -> AbstractContextManager[None]:
    return clock.set_to(lambda: at)
