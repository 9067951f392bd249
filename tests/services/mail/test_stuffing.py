"""Lines of a message that begin with a dot get another one on their way."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mail import session


@given(content=st.text("a.\n", max_size=40), block=st.integers(1, 5))
def test_dots_are_doubled_where_lines_begin_wherever_blocks_do(content: str, block: int) -> None:
    data = content.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "_BLOCK", block)
        assert b"".join(session._stuffed(data)) == re.sub(rb"(?m)^\.", b"..", data)
