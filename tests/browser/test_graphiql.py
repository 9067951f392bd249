"""GraphiQL in a browser: it loads, signs in, and runs a query, a mutation and a subscription, all from this origin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from counterfoil.graphiql import BUILT
from tests.browser.chromium import tab
from tests.counterfoil.test_serve import serving

pytestmark = [
    pytest.mark.parametrize("dialect", ["sqlite"], indirect=True),
    pytest.mark.skipif(not BUILT.exists(), reason="GraphiQL is not built: scripts/web says why"),
]

# However busy the machine is.
expect.set_options(timeout=60_000)

EDITOR = ".graphiql-query-editor .view-lines"
ADD = """mutation => fetch("/graphql", {
  method: "POST",
  headers: { "Content-Type": "application/json", "Counterfoil-Csrf": "1" },
  body: JSON.stringify({ query: mutation }),
}).then(response => response.json())"""


def run(page: Page, name: str) -> None:
    """Run the example in the tab of this name."""
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.locator(EDITOR)).to_contain_text(name)
    # GraphiQL reads what is in the editor 0.1 s after it has changed: in the page, this timer ends after that one.
    page.evaluate("new Promise(done => setTimeout(done, 500))")
    page.get_by_role("button", name=re.compile("Execute query")).click()


def test_it_signs_in_and_runs_the_examples_and_nothing_comes_from_elsewhere(
    tmp_path: Path, empty_database_url: str
) -> None:
    with serving(tmp_path, empty_database_url) as served, tab(served.base()) as opened:
        email, password = re.findall(r"(?:Email|Password) +(\S+)", served.out.read_text("utf-8"))
        page = opened.page
        page.goto(f"{opened.base}/graphql")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_have_text("Email or password is wrong.")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator(".who")).to_have_text("Administrator")
        [cookie] = opened.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
        answer = page.locator(".result-window")
        # Before the editors are there, GraphiQL takes no other tab.
        expect(page.locator(EDITOR)).to_contain_text("Customers")

        run(page, "AddCustomer")
        expect(answer).to_contain_text("added customer Lakeside Bakery")
        run(page, "Customers")
        expect(answer).to_contain_text('"totalCount": 1')
        run(page, "Live")
        expect(page.get_by_role("button", name=re.compile("Stop query"))).to_be_visible()
        # The feed begins when the server has it: what comes before is not told.
        for number in range(100):
            page.evaluate(
                ADD, f'mutation {{ createCustomer(input: {{ name: "Live {number}" }}) {{ events {{ seq }} }} }}'
            )
            page.wait_for_timeout(100)
            if "added customer Live" in answer.inner_text():
                break
        expect(answer).to_contain_text("added customer Live")
        page.get_by_role("button", name=re.compile("Stop query")).click()

        page.reload()
        expect(page.locator(".who")).to_have_text("Administrator")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Email")).to_be_visible()
        assert opened.context.cookies() == []
        assert page.evaluate("Object.keys(localStorage).filter(name => name !== 'graphiql:theme')") == []
        assert (opened.complaints, opened.foreign) == ([], [])
