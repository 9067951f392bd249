"""docs/clients.md shows what the tests run: each line of its code stands in the file that the code's fence names."""

from __future__ import annotations

import re

from tests.clients.conftest import HERE
from tests.counterfoil.test_serve import ROOT

BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_lines_for_each_client_are_those_that_the_tests_run() -> None:
    told = (ROOT / "docs" / "clients.md").read_text("utf-8")
    blocks = BLOCK.findall(told)
    assert len(blocks) == told.count("\n```") // 2
    for name, block in blocks:
        run = {line.strip() for line in (HERE / name).read_text("utf-8").splitlines()}
        for line in block.splitlines():
            shown = line.partition(" // ")[0].strip()
            assert any(shown in one for one in run), (name, shown)
