"""The guard in the database: triggers that refuse writes beside the recorder, and any change of history.

On SQLite they ask a function that only our writer connection has; on PostgreSQL a transaction-local setting, and they
are ENABLE ALWAYS, so that `session_replication_role` does not switch them off.
"""

from __future__ import annotations

from models.engine import Database
from models.registry import AUDITED

NOT_RECORDED = "changes only through the recorder"
APPEND_ONLY = "is append-only"
OUT_OF_ORDER = "takes only the next event"

_HISTORY = ("event", "event_detail", "event_body")


def sqlite_triggers() -> dict[str, str]:
    """Name → CREATE TRIGGER statement."""
    triggers = {}
    for table in AUDITED:
        name = table._meta.tablename
        for operation in ("INSERT", "UPDATE", "DELETE"):
            triggers[f"guard_{name}_{operation.lower()}"] = _sqlite(
                name, operation, "counterfoil_recorder() IS NOT 1", f"{name} {NOT_RECORDED}"
            )
    for name in _HISTORY:
        triggers[f"guard_{name}_recorded"] = _sqlite(
            name, "INSERT", "counterfoil_recorder() IS NOT 1", f"{name} {NOT_RECORDED}", "recorded"
        )
        for operation in ("UPDATE", "DELETE"):
            triggers[f"guard_{name}_{operation.lower()}"] = _sqlite(name, operation, "1", f"{name} {APPEND_ONLY}")
    in_order = {
        "event": "NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)",
        # INSERT OR REPLACE removes the row in its way without any DELETE trigger: nothing may be in its way.
        "event_detail": "NEW.seq IS NOT (SELECT max(seq) FROM event)"
        " OR EXISTS (SELECT 1 FROM event_detail WHERE seq = NEW.seq AND about = NEW.about)"
        " OR EXISTS (SELECT 1 FROM event_detail WHERE id = NEW.id)",
        "event_body": "EXISTS (SELECT 1 FROM event_body WHERE about = NEW.about AND digest = NEW.digest)"
        " OR EXISTS (SELECT 1 FROM event_body WHERE rowid = NEW.rowid)",
    }
    for name, wrong in in_order.items():
        triggers[f"guard_{name}_order"] = _sqlite(name, "INSERT", wrong, f"{name} {OUT_OF_ORDER}", "order")
    return triggers


def _sqlite(table: str, operation: str, wrong: str, message: str, suffix: str | None = None) -> str:
    name = f"guard_{table}_{suffix or operation.lower()}"
    return (
        f'CREATE TRIGGER {name} BEFORE {operation} ON "{table}" WHEN {wrong}'
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


_FUNCTIONS = {
    "counterfoil_guard": f"""
BEGIN
    IF current_setting('counterfoil.recorder', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION '% {NOT_RECORDED}', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END""",
    "counterfoil_append_only": f"""
BEGIN
    RAISE EXCEPTION '% {APPEND_ONLY}', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END""",
    "counterfoil_event_order": f"""
BEGIN
    IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), 0) + 1 FROM event) THEN
        RAISE EXCEPTION 'event {OUT_OF_ORDER}' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END""",
    # A detail belongs to an event of the same transaction; several events may be inserted by one statement.
    "counterfoil_event_detail_order": f"""
BEGIN
    IF NOT EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq AND xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'event_detail {OUT_OF_ORDER}' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END""",
}


def postgres_functions() -> dict[str, str]:
    """Name → body of the trigger function in PL/pgSQL."""
    return dict(_FUNCTIONS)


def postgres_triggers() -> dict[str, tuple[str, str, str]]:
    """Name → (table, when it fires, function), in the words of pg_get_triggerdef()."""
    triggers = {}
    for table in AUDITED:
        name = table._meta.tablename
        when = "BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE"
        triggers[f"guard_{name}"] = (name, f"{when} ON {{}} FOR EACH STATEMENT", "counterfoil_guard")
    for name in _HISTORY:
        triggers[f"guard_{name}_recorded"] = (name, "BEFORE INSERT ON {} FOR EACH STATEMENT", "counterfoil_guard")
        triggers[f"guard_{name}_append_only"] = (
            name,
            "BEFORE DELETE OR UPDATE OR TRUNCATE ON {} FOR EACH STATEMENT",
            "counterfoil_append_only",
        )
    for name in ("event", "event_detail"):
        triggers[f"guard_{name}_order"] = (
            name,
            "BEFORE INSERT ON {} FOR EACH ROW",
            f"counterfoil_{name}_order",
        )
    return triggers


def install_statements(dialect: str) -> list[str]:
    """DDL that puts every guard in place, whatever was there before."""
    if dialect == "sqlite":
        return [
            statement
            for name, create in sqlite_triggers().items()
            for statement in (f"DROP TRIGGER IF EXISTS {name}", create)
        ]
    statements = [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
        for name, body in _FUNCTIONS.items()
    ]
    for name, (table, when, function) in postgres_triggers().items():
        quoted = f'"{table}"'
        statements += [
            f"DROP TRIGGER IF EXISTS {name} ON {quoted}",
            _definition(name, quoted, when, function),
            f"ALTER TABLE {quoted} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


async def missing(database: Database) -> list[str]:
    """The guards that are absent, changed or switched off."""
    if database.dialect == "sqlite":
        rows = await database.fetch("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        there = {row["name"]: row["sql"] for row in rows}
        return [name for name, create in sqlite_triggers().items() if there.get(name) != create]
    rows = await database.fetch(
        "SELECT replace(pg_get_triggerdef(t.oid, true), '\"', '') AS definition, p.prosrc FROM pg_trigger t"
        " JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgenabled = 'A' AND NOT t.tgisinternal"
    )
    found = {(row["definition"], row["prosrc"]) for row in rows}
    return [
        name
        for name, (table, when, function) in postgres_triggers().items()
        if (_definition(name, table, when, function), _FUNCTIONS[function]) not in found
    ]


def _definition(name: str, table: str, when: str, function: str) -> str:
    return f"CREATE TRIGGER {name} {when.format(table)} EXECUTE FUNCTION {function}()"
