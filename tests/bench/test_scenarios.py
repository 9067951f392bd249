"""Each scenario can be measured by itself, on the databases that it uses and no others."""

from __future__ import annotations

import pytest

from bench.__main__ import Name
from bench.scenarios import stores_of
from bench.stores import NAMES


@pytest.mark.parametrize("name", Name)
def test_a_scenario_names_its_databases(name: Name) -> None:
    expected = {"short", "long"} if name in (Name.HISTORY, Name.HISTORY_VIEW) else {"main"}
    assert stores_of(name.value) == expected


def test_a_whole_run_uses_all_databases() -> None:
    assert stores_of(None) == set(NAMES)
