"""Logs: JSON lines, everybody's, without values that could be personal."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from counterfoil import logs


@pytest.fixture(autouse=True)
def configuration_of_others_comes_back() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_has_time_level_logger_event_fields_and_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.contextvars.bind_contextvars(request_id="req_1")
    structlog.get_logger("counterfoil.http").info("request", status=200)
    [line] = lines(capsys)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "counterfoil.http",
        "event": "request",
        "status": 200,
        "request_id": "req_1",
    }


def test_other_libraries_take_the_same_way_but_for_the_access_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("uvicorn.error").info("Started [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET /")
    [line] = lines(capsys)
    assert (line["logger"], line["event"], line["level"]) == ("uvicorn.error", "Started [7]", "info")


def test_below_the_level_nothing_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    structlog.get_logger("counterfoil").info("no")
    logging.getLogger("other").info("no")
    structlog.get_logger("counterfoil").warning("yes")
    assert [line["event"] for line in lines(capsys)] == ["yes"]


def test_the_debug_level_is_ours_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug")
    structlog.get_logger("counterfoil").debug("ours")
    logging.getLogger("other").debug("theirs")
    assert [line["event"] for line in lines(capsys)] == ["ours"]


def test_an_exception_is_told_by_type_and_stack_and_without_the_values_it_quotes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure()
    for logger in (structlog.get_logger("counterfoil"), logging.getLogger("other")):
        try:
            try:
                int("Ada Lovelace")
            except ValueError as error:
                raise RuntimeError("a bug of ours") from error
        except RuntimeError:
            logger.exception("failed")
    for line in lines(capsys):
        told = line["exception"]
        assert (told["type"], told["message"]) == ("builtins.RuntimeError", "a bug of ours")
        assert "test_logs.py" in told["stack"][-1]
        assert told["cause"]["type"] == "builtins.ValueError"
        assert "Ada" not in json.dumps(line)


def test_a_databases_error_is_told_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    class Violation(Exception):
        sqlstate = "23505"

    logs.configure()
    structlog.get_logger("counterfoil").error("failed", exc_info=Violation("Key (name)=(Ada) exists"))
    [line] = lines(capsys)
    assert line["exception"]["code"] == "23505"
    assert "Ada" not in json.dumps(line)


def test_the_repr_that_asyncio_adds_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=KeyError('Ada')>")
    assert [line["event"] for line in lines(capsys)] == ["Task exception was never retrieved"]


def test_values_that_json_does_not_know_do_not_break_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.get_logger("counterfoil").info("odd", value={1: {2, 3}})
    assert lines(capsys)[0]["event"] == "odd"


def test_on_a_terminal_lines_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(readable=True)
    structlog.get_logger("counterfoil").info("request", status=200)
    said = capsys.readouterr().err
    assert "request" in said
    with pytest.raises(json.JSONDecodeError):
        json.loads(said)
