"""Sessions in cookies: where the cookie is set and cleared, and that no forged request counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.cookies import Morsel, SimpleCookie
from itertools import product
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from structlog.testing import capture_logs

import models
from counterfoil.app import create_app
from counterfoil.door.cookies import Cookies
from counterfoil.door.refusing import Refused
from counterfoil.settings import read_settings
from models import Permission, clock
from tests.client import PASSWORD, Client, ClientWith, form, set_password
from tests.client import File as SentFile
from tests.counterfoil.door.test_streams import streamed

pytestmark = pytest.mark.anyio

HOME = "http://counterfoil.test"
DESK = "https://desk.example.com"
CSRF = {"Counterfoil-Csrf": "1"}
WANTED = {**CSRF, "Counterfoil-Session": "cookie"}
VIEWER = "query Cookies { viewer { actor { name } } }"
SIGN_IN = """mutation ($input: SignInInput!) {
  signIn(input: $input) { token viewer { actor { name } } events { action } errors { code } }
}"""
STREAM = {"Accept": "text/event-stream"}
FORM = form({"query": "{ nothing }", "variables": {"input": {}}}, SentFile("a.txt", b"a"))
SIGN_OUT = "mutation { signOut { events { action } errors { code } } }"


async def credentials(client_with: ClientWith) -> dict[str, Any]:
    somebody = await client_with(name="Sina Sign")
    assert somebody.user is not None
    await set_password(somebody.user["id"])
    return {"input": {"email": somebody.user["email"], "password": PASSWORD}}


def cookies_of(response: httpx.Response) -> list[Morsel[str]]:
    return [morsel for line in response.headers.get_list("set-cookie") for morsel in SimpleCookie(line).values()]


def browser(app: Any = None) -> Client:
    """Somebody whose cookies are kept, as a browser does."""
    return Client(app=app)


async def signed_in(client_with: ClientWith) -> Client:
    """A browser with a session in its cookie."""
    page = browser()
    assert (await page.send(SIGN_IN, await credentials(client_with), WANTED))["signIn"]["errors"] == []
    return page


async def test_the_cookie_is_for_this_host_and_no_script_and_ends_with_the_browser(client_with: ClientWith) -> None:
    sent = await credentials(client_with)
    for https, name in ((False, "counterfoil"), (True, "__Host-counterfoil")):
        page = browser(create_app(read_settings(https=https)))
        payload = (await page.send(SIGN_IN, sent, WANTED))["signIn"]
        assert (payload["token"], payload["viewer"]["actor"]["name"]) == (None, "Sina Sign")
        [cookie] = cookies_of(page.response)
        assert cookie.key == name
        assert cookie.value.startswith("cfs_")
        assert {key: value for key, value in cookie.items() if value} == {
            "path": "/",
            "httponly": True,
            "samesite": "strict",
            **({"secure": True} if https else {}),
        }
        assert page.response.headers["cache-control"] == "no-store"


async def test_without_the_header_signing_in_answers_a_token_and_sets_no_cookie(client_with: ClientWith) -> None:
    somebody = Client()
    payload = (await somebody.send(SIGN_IN, await credentials(client_with), {}))["signIn"]
    assert payload["token"].startswith("cfs_")
    assert "set-cookie" not in somebody.response.headers
    await somebody.send(SIGN_IN, await credentials(client_with), {"Counterfoil-Session": "token"})
    assert (somebody.response.status_code, somebody.codes) == (400, ["BAD_REQUEST"])


async def test_a_failed_sign_in_sets_no_cookie(client_with: ClientWith) -> None:
    sent = await credentials(client_with)
    page = browser()
    payload = (await page.send(SIGN_IN, {"input": {**sent["input"], "password": "not the password"}}, WANTED))["signIn"]
    assert [error["code"] for error in payload["errors"]] == ["BAD_CREDENTIALS"]
    assert "set-cookie" not in page.response.headers


async def test_the_session_in_the_cookie_is_one_like_others_until_signing_out(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    assert (await page.send(VIEWER, {}, CSRF))["viewer"]["actor"]["name"] == "Sina Sign"
    token = page.http.cookies["counterfoil"]
    assert (await Client(token).run(VIEWER))["viewer"]["actor"]["name"] == "Sina Sign"
    payload = (await page.send(SIGN_OUT, {}, CSRF))["signOut"]
    assert [event["action"] for event in payload["events"]] == ["USER_SIGNED_OUT"]
    [cookie] = cookies_of(page.response)
    assert (cookie.key, cookie.value, cookie["max-age"], cookie["path"]) == ("counterfoil", "", "0", "/")
    assert "counterfoil" not in page.http.cookies
    assert await Client(token).run(VIEWER) == {}


async def test_signing_in_again_ends_the_session_that_was_in_the_cookie(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    before = page.http.cookies["counterfoil"]
    payload = (await page.send(SIGN_IN, await credentials(client_with), WANTED))["signIn"]
    assert [event["action"] for event in payload["events"]] == ["USER_SIGNED_IN", "USER_SIGNED_OUT"]
    assert page.http.cookies["counterfoil"] != before
    assert await Client(before).run(VIEWER) == {}
    assert await page.send(VIEWER, {}, CSRF)


async def test_signing_in_ends_what_the_cookie_names_whoever_sends_it(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    other = await client_with(name="Bea Bearer")
    bearer = {"Authorization": f"Bearer {other.token}"}
    before = page.http.cookies["counterfoil"]
    payload = (await page.send(SIGN_IN, await credentials(client_with), {**WANTED, **bearer}))["signIn"]
    assert payload["errors"] == []
    # Bea's session was not in the cookie; the one that was is nobody's now.
    assert (await other.run(VIEWER))["viewer"]["actor"]["name"] == "Bea Bearer"
    assert await Client(before).run(VIEWER) == {}
    made = page.http.cookies["counterfoil"]
    assert made != before
    # Nor does signing out with another token forget a session that lives on.
    assert (await page.send(SIGN_OUT, {}, {**WANTED, **bearer}))["signOut"]["errors"] == []
    assert "set-cookie" not in page.response.headers
    assert (await other.run(VIEWER), bool(await page.send(VIEWER, {}, CSRF))) == ({}, True)
    # With the one in the cookie it does, however it comes.
    assert (await page.send(SIGN_OUT, {}, {"Authorization": f"Bearer {made}"}))["signOut"]["errors"] == []
    assert "counterfoil" not in page.http.cookies


async def test_of_the_sessions_of_one_request_the_last_one_stays(client_with: ClientWith) -> None:
    page = browser()
    sent = await credentials(client_with)
    before = await sessions()
    twice = """mutation ($input: SignInInput!) {
      a: signIn(input: $input) { events { action } } b: signIn(input: $input) { events { action } errors { code } }
    }"""
    data = await page.send(twice, sent, WANTED)
    assert data["b"]["errors"] == []
    assert [len(data[name]["events"]) for name in "ab"] == [1, 2]
    assert await page.send(VIEWER, {}, CSRF)
    assert await sessions() == before + 1


async def sessions() -> int:
    return len(await models.current().fetch("SELECT id FROM session"))


async def test_a_bearer_token_goes_before_the_cookie(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    other = await client_with(name="Bea Bearer")
    bearer = {"Authorization": f"Bearer {other.token}"}
    # It proves by itself that nobody forged the request.
    assert (await page.send(VIEWER, {}, bearer))["viewer"]["actor"]["name"] == "Bea Bearer"
    assert await page.send(VIEWER, {}, {"Authorization": "Bearer cfs_wrong", **CSRF}) == {}
    assert page.response.status_code == 401
    # Signing out with it leaves the cookie's session alone.
    assert (await page.send(SIGN_OUT, {}, bearer))["signOut"]["errors"] == []
    assert "set-cookie" not in page.response.headers
    assert await page.send(VIEWER, {}, CSRF)


async def test_what_a_proxy_asks_for_leaves_the_cookie_as_it_is(client_with: ClientWith) -> None:
    """A site behind Basic authentication: the browser sends its password for the proxy with every request."""
    page = await signed_in(client_with)
    for sent in ("Basic YTpi", "Digest username=a", "Bearer", "Bearer ", "cfs_x"):
        authorization = {"Authorization": sent}
        assert await page.send(VIEWER, {}, {**CSRF, **authorization}), sent
        # It proves nothing about who has sent the request.
        assert await page.send(VIEWER, {}, authorization) == {}, sent
        assert page.codes == ["CSRF"], sent
        assert await page.send(VIEWER, {}, {**CSRF, **authorization, "Sec-Fetch-Site": "cross-site"}) == {}, sent


async def test_with_a_cookie_nothing_runs_that_a_page_of_others_could_have_sent(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    asked = {"query": VIEWER}
    sends: list[dict[str, Any]] = [
        {"method": "POST", "json": asked},
        {"method": "GET", "params": asked},
        {"method": "HEAD", "params": asked},
        {"method": "POST", "json": asked, "headers": STREAM},
        {"method": "GET", "params": asked, "headers": STREAM},
        {"method": "HEAD", "params": asked, "headers": STREAM},
    ]
    for header, origin, site in product(
        (False, True),
        # The scheme of a page here may be another than ours: a proxy takes TLS off.
        (None, HOME, "https://counterfoil.test", DESK, "null", f"{HOME}.evil.example.com", f"{HOME}:8443"),
        (None, "same-origin", "same-site", "cross-site", "none"),
    ):
        sent = {
            **(CSRF if header else {}),
            **({"Origin": origin} if origin else {}),
            **({"Sec-Fetch-Site": site} if site else {}),
        }
        ours = site == "same-origin" or (site is None and origin in (None, HOME, "https://counterfoil.test"))
        for request in sends:
            response = await page.http.request(
                url="/graphql", **{**request, "headers": {**request.get("headers", {}), **sent}}
            )
            told = f"{request} {sent}"
            # What reads only needs no header where the browser says that we ask: an EventSource can send none.
            proven = header or (site == "same-origin" and request["method"] != "POST")
            assert (response.status_code == 200) == (proven and ours), told
            if response.status_code != 200 and request["method"] != "HEAD":
                assert (response.status_code, code_of(response)) == (403, "CSRF"), told
                assert "data" not in response.json(), told
        # A form needs a header anyway, which counts for both.
        multipart = {**sent, **({"Counterfoil-Upload": "1"} if header else {})}
        response = await page.http.post("/graphql", headers=multipart, **FORM)
        refused = 403 if header else 400
        assert response.status_code == (422 if header and ours else refused), f"form {sent}"


def code_of(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


async def test_content_types_of_forms_do_not_pass(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    body = '{"query": "{ viewer { actor { name } } }"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json", ""):
        response = await page.http.post("/graphql", content=body, headers={"Content-Type": kind, "Origin": DESK})
        assert response.status_code in (403, 415), kind
        assert "data" not in response.json(), kind
    sent = form({"query": VIEWER, "variables": {"input": {}}}, SentFile("a.txt", b"a"))
    assert (await page.http.post("/graphql", **sent)).status_code in (400, 403)


async def test_mutations_do_not_come_by_get_with_a_cookie_either(client_with: ClientWith) -> None:
    page = await signed_in(client_with)
    response = await page.http.get("/graphql", params={"query": SIGN_OUT}, headers=CSRF)
    assert response.status_code == 405
    assert await page.send(VIEWER, {}, CSRF)


async def test_other_sites_cannot_have_a_cookie_set(client_with: ClientWith) -> None:
    sent = await credentials(client_with)
    page = browser(create_app(read_settings(cors_origins=DESK)))
    for site in ("cross-site", "same-site", None):
        forged = {**WANTED, "Origin": "https://evil.example.com", **({"Sec-Fetch-Site": site} if site else {})}
        await page.send(SIGN_IN, sent, forged)
        assert (page.response.status_code, page.codes) == (403, ["CSRF"]), site
        assert "set-cookie" not in page.response.headers


async def test_a_listed_origin_of_this_site_has_cookies_and_one_of_another_site_never(client_with: ClientWith) -> None:
    page = browser(create_app(read_settings(cors_origins=DESK)))
    here = {"Origin": DESK, "Sec-Fetch-Site": "same-site"}
    assert (await page.send(SIGN_IN, await credentials(client_with), {**WANTED, **here}))["signIn"]["errors"] == []
    assert page.response.headers["access-control-allow-credentials"] == "true"
    assert await page.send(VIEWER, {}, {**CSRF, **here})
    for forged in (
        {"Origin": DESK, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": DESK},
    ):
        assert await page.send(VIEWER, {}, {**CSRF, **forged}) == {}, forged
        assert page.codes == ["CSRF"], forged
    # With a token of its own it may call, from wherever it is.
    bearer = {"Authorization": f"Bearer {(await client_with()).token}", "Origin": DESK, "Sec-Fetch-Site": "cross-site"}
    assert await page.send(VIEWER, {}, bearer)


async def test_behind_https_only_the_cookie_that_nobody_else_can_set_counts(client_with: ClientWith) -> None:
    token = (await client_with()).token
    page = browser(create_app(read_settings(https=True)))
    for name, known in (("counterfoil", False), ("__Host-counterfoil", True)):
        data = await page.send(VIEWER, {}, {**CSRF, "Cookie": f"{name}={token}"})
        assert bool(data) is known, name


async def test_a_cookie_that_is_no_good_is_told_and_does_not_hinder_signing_in(client_with: ClientWith) -> None:
    page = browser()
    page.http.cookies.set("counterfoil", "cfs_ended", domain="counterfoil.test")
    await page.send(VIEWER, {}, CSRF)
    assert (page.codes, page.errors[0]["message"].startswith("Your session")) == (["UNAUTHENTICATED"], True)
    assert (await page.send(SIGN_IN, await credentials(client_with), WANTED))["signIn"]["errors"] == []
    assert await page.send(VIEWER, {}, CSRF)


async def test_an_event_stream_answers_the_token_as_it_can_set_no_cookie(client_with: ClientWith) -> None:
    page = browser()
    asked = {"query": SIGN_IN, "variables": await credentials(client_with)}
    response = await page.http.post("/graphql", json=asked, headers={**WANTED, "Accept": "text/event-stream"})
    assert "set-cookie" not in response.headers
    assert '"token":"cfs_' in response.text


async def test_an_event_source_follows_with_the_cookie_and_goes_on_by_itself(
    client_with: ClientWith, client: Client
) -> None:
    session = f"counterfoil={(await client_with([Permission.AUDIT_READ])).token}"
    query = "subscription ($filter: HistoryFilter) { historyFeed(filter: $filter) { cursor event { seq } } }"
    # What a browser sends for `new EventSource("/graphql?query=…")`.
    nobody = Client()
    sent: dict[str, Any] = {
        "authorization": "",
        "cookie": session,
        "sec_fetch_site": "same-origin",
        "sec_fetch_mode": "cors",
    }
    wanted = {"filter": {"from": clock.now().isoformat()}}
    for name in ("First", "Second"):
        await client.change("CreateCustomer", input={"name": name})
    async with streamed(nobody, query, wanted, method="GET", **sent) as stream:
        first = await stream.next()
    async with streamed(nobody, query, wanted, method="GET", last_event_id=first["id"], **sent) as stream:
        second = await stream.next()
    seqs = [json.loads(event["data"])["data"]["historyFeed"]["event"]["seq"] for event in (first, second)]
    assert seqs == [seqs[0], seqs[0] + 1]
    for forged in ("cross-site", "same-site", "none"):
        async with streamed(nobody, query, wanted, method="GET", **{**sent, "sec_fetch_site": forged}) as stream:
            assert stream.status == 403
    async with streamed(nobody, query, wanted, **sent) as stream:
        assert stream.status == 403


def connection(kind: str, headers: Mapping[str, str]) -> HTTPConnection:
    sent = Headers({"host": "counterfoil.test", "cookie": "counterfoil=cfs_x", **headers})
    return HTTPConnection({"type": kind, "headers": sent.raw, "path": "/graphql"})


async def test_the_handshake_of_a_web_socket_needs_no_header_but_an_origin_of_ours() -> None:
    cookies = Cookies([DESK], https=False)
    for headers in ({"origin": HOME}, {}, {"origin": DESK, "sec-fetch-site": "same-site"}):
        assert cookies.token_of(connection("websocket", headers)) == "cfs_x", headers
    assert cookies.token_of(connection("websocket", {"origin": DESK, "authorization": "Bearer cfk_x"})) is None
    for headers in ({"origin": "https://evil.example.com"}, {"origin": DESK, "sec-fetch-site": "cross-site"}):
        with pytest.raises(Refused):
            cookies.token_of(connection("websocket", headers))


async def test_the_log_tells_of_cookies_that_should_be_secure(client_with: ClientWith) -> None:
    page = browser()
    with capture_logs() as entries:
        await page.send(
            SIGN_IN,
            await credentials(client_with),
            {**WANTED, "Origin": "https://counterfoil.test", "Sec-Fetch-Site": "same-origin"},
        )
    assert [entry["log_level"] for entry in entries if "COUNTERFOIL_HTTPS" in entry["event"]] == ["warning"]
