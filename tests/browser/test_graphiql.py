"""GraphiQL in a browser: it loads, signs in, runs queries, mutations and a subscription, and tells when the session has
ended; all from this origin.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from counterfoil.graphiql import BUILT
from tests.browser.chromium import tab
from tests.counterfoil.test_serve import serving, signed_in

pytestmark = [
    pytest.mark.parametrize("dialect", ["sqlite"], indirect=True),
    pytest.mark.skipif(not BUILT.exists(), reason="GraphiQL is not built: scripts/web says why"),
]

# However busy the machine is.
expect.set_options(timeout=60_000)

EDITOR = ".graphiql-query-editor .view-lines"
HEADERS = '{ "Counterfoil-Reason": "Asked on the phone", "Counterfoil-Cost": "yes" }'
ASK = """query => fetch("/graphql", {
  method: "POST",
  headers: { "Content-Type": "application/json", "Counterfoil-Csrf": "1" },
  body: JSON.stringify({ query }),
}).then(response => response.json())"""
ADD = 'mutation {{ createCustomer(input: {{ name: "{}" }}) {{ errors {{ code }} }} }}'
# The last socket that the page opens, so that it can break.
KEEP_SOCKET = """() => {
  window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); window.socket = this; }
  };
}"""


def choose(page: Page, name: str) -> None:
    """Go to the tab of this name."""
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.locator(EDITOR)).to_contain_text(name)


def run(page: Page) -> None:
    """Run what is in the editor."""
    # GraphiQL reads what is in an editor 0.1 s after it has changed: in the page, this timer ends after that one.
    page.evaluate("new Promise(done => setTimeout(done, 150))")
    page.get_by_role("button", name=re.compile("Execute query")).click()


def sign_in(page: Page, email: str, password: str) -> None:
    """Fill in the form, and send it."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def follow(page: Page) -> None:
    """Run the live example, and see that it goes on where it was when its connection breaks."""
    answer = page.locator(".result-window")
    page.evaluate(KEEP_SOCKET)
    choose(page, "Live")
    run(page)
    expect(page.get_by_role("button", name=re.compile("Stop query"))).to_be_visible()
    # The feed begins when the server has it: what comes before is not told.
    for number in range(100):
        page.evaluate(ASK, ADD.format(f"Live {number}"))
        page.wait_for_timeout(100)
        # An editor wraps its lines, and between words it has spaces that do not break.
        if "added customer Live" in " ".join(answer.inner_text().split()):
            break
    expect(answer).to_contain_text("added customer Live")
    # "Too slow": whoever is told so comes back.
    page.evaluate("socket.close(4470)")
    page.evaluate(ASK, ADD.format("While away"))
    expect(answer).to_contain_text("added customer While away")


def test_it_signs_in_and_runs_the_examples_and_nothing_comes_from_elsewhere(tmp_path: Path, database_url: str) -> None:
    with serving(tmp_path, database_url) as served, tab(served.base()) as opened:
        email, password = re.findall(r"(?:Email|Password) +(\S+)", served.out.read_text("utf-8"))
        page = opened.page
        token = {"Authorization": f"Bearer {signed_in(opened.base, email, password)['token']}"}
        httpx.post(f"{opened.base}/graphql", json={"query": ADD.format("Harbour Cafe")}, headers=token)

        page.goto(f"{opened.base}/graphql")
        told = page.locator(".sign-in").get_by_role("alert")
        sign_in(page, email, "not the password")
        expect(told).to_have_text("Email or password is wrong.")
        sign_in(page, email, password)
        expect(page.locator(".who")).to_have_text("Administrator")
        [cookie] = opened.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
        answer = page.locator(".result-window")
        # Before the editors are there, GraphiQL takes no other tab.
        expect(page.locator(EDITOR)).to_contain_text("Customers")
        run(page)
        expect(answer).to_contain_text('"totalCount": 1')

        # Its variables name a customer who is there.
        choose(page, "AddNote")
        page.get_by_role("button", name="Headers").click()
        page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)").click()
        page.keyboard.insert_text(HEADERS)
        run(page)
        expect(answer).to_contain_text("added a note on Harbour Cafe")
        expect(answer).to_contain_text('"reason": "Asked on the phone"')
        expect(answer).to_contain_text('"cost"')
        assert "Asked on the phone" not in page.evaluate("JSON.stringify(localStorage)")
        choose(page, "History")
        run(page)
        expect(answer).to_contain_text("NOTE_CREATED")
        page.get_by_role("button", name="Show History").click()
        page.locator(".graphiql-history-item-label", has_text="AddNote").click()
        expect(page.locator(EDITOR)).to_contain_text("mutation AddNote")
        page.get_by_role("button", name="Show Documentation Explorer").click()
        expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Subscription")

        follow(page)
        assert (opened.complaints, opened.foreign) == ([], [])
        page.evaluate(ASK, "mutation { signOut { errors { code } } }")
        expect(told).to_have_text("Your session has ended: sign in again.")
        # Chromium tells of each status of 400 and more.
        assert [complaint for complaint in opened.complaints if "401 (Unauthorized)" not in complaint] == []
        opened.complaints.clear()
        sign_in(page, email, password)
        expect(page.locator(EDITOR)).to_contain_text("subscription Live")
        expect(answer).to_contain_text("The connection was closed (4401)")

        page.reload()
        expect(page.locator(".who")).to_have_text("Administrator")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Email")).to_be_visible()
        assert opened.context.cookies() == []
        assert page.evaluate("Object.keys(localStorage).filter(name => name !== 'graphiql:theme')") == []
        assert (opened.complaints, opened.foreign) == ([], [])
