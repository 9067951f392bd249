"""What built-in roles may do: the README's table is up to date, and the schema holds what it says."""

from __future__ import annotations

import pytest
from graphql import parse

from counterfoil import role_table
from counterfoil.cli.export_roles import README
from models import BuiltInRole, Permission
from schema.access import AccessRule
from schema.plan import access_of, plan
from services.user_roles import BUILT_IN
from tests.schema.documents import MUTATION, QUERY, SCHEMA, smallest_call

NAMES = {name: role for role, (name, _) in BUILT_IN.items()}
each_role = pytest.mark.parametrize("role", BuiltInRole, ids=lambda role: role.value)


def read_table() -> dict[BuiltInRole, set[Permission]]:
    """The permissions of each role, as the README tells them."""
    begin, end = (README.read_text("utf-8").index(mark) for mark in ("| Permission |", "<!-- /roles -->"))
    lines = README.read_text("utf-8")[begin:end].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {
        NAMES[name]: {Permission(row[0].strip("`")) for row in rows if row[column]}
        for column, name in enumerate(head)
        if column >= 2
    }


def may_call(permissions: set[Permission], operation: str, name: str) -> bool:
    """Whether somebody with the permissions gets past the check before an operation runs."""
    field = (MUTATION if operation == "mutation" else QUERY).fields[name]
    document = parse(f"{operation} {{ {smallest_call(name, field)} }}")
    needs = [need.any_of for need in plan(SCHEMA, document, None).needs]
    return all(not any_of or any_of & permissions for any_of in needs)


def callable_by(permissions: set[Permission]) -> set[str]:
    """The mutations that need a permission, and that somebody with these may call."""
    return {
        name
        for name in MUTATION.fields
        if (access := access_of(MUTATION, name)) is not None
        and access.rule is AccessRule.PERMISSION
        and may_call(permissions, "mutation", name)
    }


def test_the_table_in_the_readme_is_up_to_date() -> None:
    text = README.read_text("utf-8")
    assert role_table.written(text) == text, "run python -m counterfoil export-roles"


@each_role
def test_what_the_table_says_is_what_the_schema_lets_a_role_do(role: BuiltInRole) -> None:
    told = read_table()[role]
    permissions = set(BUILT_IN[role][1])
    for kind, operation in ((QUERY, "query"), (MUTATION, "mutation")):
        for name in kind.fields:
            access = access_of(kind, name)
            assert access is not None
            expected = access.rule is not AccessRule.PERMISSION or bool(told & set(access.any_of))
            assert may_call(permissions, operation, name) is expected, name


def test_each_role_does_its_work_and_no_other() -> None:
    everything = callable_by(set(Permission))
    by_role = {role: callable_by(set(permissions)) for role, (_, permissions) in BUILT_IN.items()}
    assert by_role[BuiltInRole.ADMINISTRATOR] == everything
    assert by_role[BuiltInRole.AUDITOR] == set()
    contacts = {"createContact", "updateContact", "deleteContact", "setContactRoles", "assignContact", "linkContacts"}
    assert contacts <= by_role[BuiltInRole.LOCATION_CONTACT_EDITOR] <= by_role[BuiltInRole.AR_CLERK]
    assert not {"createCustomer", "createContactRole", "createNote"} & by_role[BuiltInRole.LOCATION_CONTACT_EDITOR]
    assert not {"createCustomer", "updateCustomer", "createLocation", "createPurpose"} & by_role[BuiltInRole.AR_CLERK]
    assert by_role[BuiltInRole.AR_CLERK] < by_role[BuiltInRole.AR_MANAGER]
    users = {"createUser", "updateUser", "createUserRole", "createApiKey", "endSessions"}
    assert users <= everything - by_role[BuiltInRole.AR_MANAGER]
    assert everything - by_role[BuiltInRole.AR_MANAGER] == callable_by(
        {Permission.USERS_WRITE, Permission.API_KEYS_WRITE}
    )
    assert "createNote" in by_role[BuiltInRole.ORDER_DESK]
    assert not contacts & by_role[BuiltInRole.ORDER_DESK]


def test_whoever_reads_everything_does_so() -> None:
    permissions = set(BUILT_IN[BuiltInRole.AUDITOR][1])
    assert [name for name in QUERY.fields if not may_call(permissions, "query", name)] == []
    assert permissions >= {permission for permission in Permission if permission.value.endswith("_READ")}
