"""The option --none-skipped: the run fails when a test was skipped, or was expected to fail, and says which and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest

_SKIPPED = "Skipped: "


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption("--none-skipped", action="store_true", help="fail when a test is skipped, or expected to fail")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself is an error: workers of pytest-xdist do not tell of it in any other way."""
    report = yield
    if report.skipped and collector.config.getoption("--none-skipped"):
        report.outcome = "failed"
        report.longrepr = f"{_SKIPPED}{_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Fail, with the number and the reasons as the last line of all."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--none-skipped"):
        return  # a worker of pytest-xdist: the process that it reports to has them all
    stats = reporter.stats
    errors = [report for report in stats.get("error", ()) if str(report.longrepr).startswith(_SKIPPED)]
    reasons = Counter(map(_reason, [*stats.get("skipped", ()), *stats.get("xfailed", ()), *errors]))
    if not reasons:
        return
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    told = "; ".join(f"{reason} ({times})" for reason, times in reasons.most_common())
    reporter.write_line(f"--none-skipped: {reasons.total()} skipped or expected to fail: {told}", red=True)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why: in one line."""
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    told = getattr(report, "wasxfail", None) or str(why).removeprefix(_SKIPPED)
    return " ".join(told.split()) or "without a reason"
