"""What the demo's office does all day: each activity is one request of one user."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from audit import Change
from models import BuiltInRole, Contact, Permission, Row
from models.contact import full_name
from services import contact_roles, contacts, customers, notes, user_roles, users
from services.demo import arrangements, texts
from services.demo.desk import Desk
from services.origin import is_synced
from services.user_roles import BUILT_IN

Activity = Callable[[Desk], Awaitable[None]]

_WRITERS = (BuiltInRole.AR_CLERK, BuiltInRole.AR_MANAGER, BuiltInRole.ORDER_DESK)


async def retitle(desk: Desk) -> None:
    """Somebody has another position."""
    random = desk.fiction.random
    await _edit(desk, {"title": random.choice(texts.TITLES)}, random.choice(texts.TITLE_REASONS))


async def give_role(desk: Desk) -> None:
    """Somebody gets another contact role."""
    await _edit(desk, {"role_id": desk.any_role()})


async def prioritize(desk: Desk) -> None:
    """Somebody becomes more or less important."""
    await _edit(desk, {"priority": desk.fiction.random.randint(1, 9)})


async def move_primary(desk: Desk) -> None:
    """Somebody becomes the primary contact, in place of somebody of whatever level."""
    person = desk.fiction.random.choice(desk.people)
    await desk.manager.act(lambda change: contacts.update(change, person["id"], None, {"primary": True}))


async def give_roles(desk: Desk) -> None:
    """Several people get one role at once."""
    people = desk.fiction.random.sample(desk.people, desk.fiction.random.randint(3, 8))
    named, role_id = [{"id": person["id"]} for person in people], desk.any_role()
    await desk.manager.act(lambda change: contact_roles.assign(change, named, role_id), "Roles reviewed")


async def change_methods(desk: Desk) -> None:
    """Somebody whom no accounting system delivers has another number."""
    entered = [person for person in desk.people if not is_synced(person)]
    if not entered:
        return await meet_person(desk)
    person = desk.fiction.random.choice(entered)
    country = desk.profiles[person["customer_id"]].country
    number = {"kind": "PHONE", "value": desk.fiction.phone(country)}

    async def work(change: Change) -> None:
        row = await change.get(Contact, person["id"])
        kept = [method for method in row["methods"] if method["kind"] != "PHONE"]
        await contacts.update(change, person["id"], None, {"methods": [*kept, number]})

    await desk.keeper(person).act(work)
    return None


async def correct_address(desk: Desk) -> None:
    """A customer that was entered here has another address."""
    random = desk.fiction.random
    entered = [one for one in desk.profiles if one not in desk.synced]
    if not entered:
        return await meet_person(desk)
    customer_id = random.choice(entered)
    address = desk.fiction.address(desk.profiles[customer_id].country)
    await desk.manager.act(
        lambda change: customers.update(change, customer_id, None, {"billing_address": address}),
        random.choice(texts.ADDRESS_REASONS),
    )
    return None


async def lose_person(desk: Desk) -> None:
    """Somebody does not work there any more; a primary contact has a successor."""
    random = desk.fiction.random
    person = random.choice(desk.people)

    async def work(change: Change) -> Row:
        row = await change.get(Contact, person["id"])
        others = await change.where(Contact, customer_id=row["customer_id"], active=True)
        # Not by id: those of one moment have no order, and the demo is the same each time.
        left = sorted((Contact.label(other), other["id"]) for other in others if other["id"] != row["id"])
        successor = left[0][1] if left and row["primary"] else None
        return await contacts.update(change, row["id"], None, {"active": False}, successor)

    # Who takes over may be of the other level.
    row = await desk.manager.act(work, random.choice(texts.LEAVING_REASONS))
    desk.people.remove(person)
    desk.gone.append(row)


async def regain_person(desk: Desk) -> None:
    """Somebody is there again."""
    if not desk.gone:
        return await lose_person(desk)
    person = desk.gone.pop(0)
    row = await desk.manager.act(lambda change: contacts.update(change, person["id"], None, {"active": True}))
    desk.people.append(row)
    return None


async def meet_person(desk: Desk) -> None:
    """Somebody else works for a company."""
    await desk.meet_staff(desk.company(), 1)


async def learn_locations(desk: Desk) -> None:
    """A company has locations."""
    await desk.learn_locations(desk.company())


async def write_note(desk: Desk) -> None:
    """A note about a customer or about a person there."""
    person = desk.fiction.random.choice(desk.people)
    body = _filled(desk, desk.fiction.random.choice(texts.NOTES), person)
    subject = person["id"] if desk.fiction.chance(0.3) else person["customer_id"]
    given = {"subject_id": subject, "body": body, "pinned": desk.fiction.chance(0.1)}
    desk.notes.append(await desk.office.one_of(*_WRITERS).act(lambda change: notes.create(change, given)))


async def edit_note(desk: Desk) -> None:
    """A note goes on."""
    await _annotate(desk, lambda note: {"body": _filled(desk, desk.fiction.random.choice(texts.EDITS), None, note)})


async def pin_note(desk: Desk) -> None:
    """A note is pinned, or not any more."""
    await _annotate(desk, lambda note: {"pinned": not note["pinned"]})


async def delete_note(desk: Desk) -> None:
    """A note was not needed; history keeps it."""
    if desk.notes:
        note = desk.notes.pop(0)
        await desk.office.one_of(*_WRITERS).act(lambda change: notes.delete(change, note["id"], None))


async def rename_role(desk: Desk) -> None:
    """A contact role gets a clearer name."""
    await desk.manager.act(lambda change: contact_roles.update(change, desk.role_ids[-1], None, texts.RENAMED_ROLE))


async def designate_role(desk: Desk) -> None:
    """Those with a contact role get more emails from now on."""
    given = {"communication": True}
    await desk.manager.act(
        lambda change: contact_roles.update(change, desk.role_ids[2], None, given), "Bookkeepers asked for statements"
    )


async def promote_clerk(desk: Desk) -> None:
    """The administrator makes a role for a clerk who now looks after roles, too."""
    clerk = desk.office.one_of(BuiltInRole.AR_CLERK)

    async def work(change: Change) -> None:
        permissions = [*BUILT_IN[BuiltInRole.AR_CLERK][1], Permission.CONTACT_ROLES_WRITE]
        role = await user_roles.create(change, {"name": texts.CUSTOM_USER_ROLE, "permissions": permissions})
        await users.update(change, str(clerk.actor.id), None, {"role_id": role["id"]})

    await desk.office.one_of(BuiltInRole.ADMINISTRATOR).act(work, "Stands in for the AR manager")


# What happens once, by the number of the working day.
ONCE: Mapping[int, Activity] = {
    1: arrangements.introduce_company,
    2: arrangements.set_up_reminders,
    5: arrangements.join_groups,
    9: rename_role,
    13: arrangements.allow_cards,
    17: designate_role,
    26: promote_clerk,
}

# How often the others happen, beside each other.
OFTEN: Mapping[Activity, int] = {
    write_note: 30,
    edit_note: 10,
    pin_note: 5,
    delete_note: 1,
    retitle: 12,
    give_role: 12,
    give_roles: 2,
    prioritize: 5,
    move_primary: 3,
    change_methods: 8,
    correct_address: 7,
    lose_person: 4,
    regain_person: 1,
    meet_person: 6,
    learn_locations: 2,
    arrangements.agree: 7,
}


async def _edit(desk: Desk, given: dict[str, Any], reason: str | None = None) -> None:
    person = desk.fiction.random.choice(desk.people)
    await desk.keeper(person).act(lambda change: contacts.update(change, person["id"], None, given), reason)


async def _annotate(desk: Desk, given: Callable[[Row], dict[str, Any]]) -> None:
    if not desk.notes:
        return await write_note(desk)
    place = desk.fiction.random.randrange(len(desk.notes))
    note, writer = desk.notes[place], desk.office.one_of(*_WRITERS)
    desk.notes[place] = await writer.act(lambda change: notes.update(change, note["id"], None, given(note)))
    return None


def _filled(desk: Desk, template: str, person: Row | None, note: Row | None = None) -> str:
    random = desk.fiction.random
    return template.format(
        person=(full_name(person) if person else "") or "Somebody",
        number=f"INV-{random.randint(10_000, 19_999)}",
        day=random.randint(4, 20),
        amount=f"{random.randint(3, 90) * 100:,}",
        body=note["body"] if note else "",
    )
