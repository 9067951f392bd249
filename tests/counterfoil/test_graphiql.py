"""GraphiQL as it is served: what scripts/web built, from our own origin alone, under a strict policy."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, OperationType, parse, validate
from starlette.applications import Starlette

from counterfoil.app import create_app
from counterfoil.graphiql import BUILT, GraphiQL
from counterfoil.settings import read_settings
from models import clock
from tests.client import Client, default_app
from tests.schema.documents import SCHEMA
from tests.schema.world import World

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "web" / "src" / "examples").glob("*.graphql"))
HTML = {"accept": "text/html,application/xhtml+xml"}
HASHED = re.compile(r"[\w.-]+-[\w-]{8}\.(?:css|js|svg|ttf)")


def http(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://counterfoil.test")


class Page(HTMLParser):
    """What a page loads, and what scripts and styles it has in itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element loads."""
        values = dict(attrs)
        self.loads += [value for name in ("src", "href") if (value := values.get(name))]
        if tag == "style" or (tag == "script" and "src" not in values) or any(name.startswith("on") for name in values):
            self.inline.append(tag)


@pytest.fixture(scope="module")
def built() -> list[Path]:
    """The files that scripts/test has built. Where it could not, without a network, there is nothing to test."""
    files = sorted((BUILT / "assets").glob("*"))
    if not files:
        pytest.skip("GraphiQL is not built: scripts/web says why")
    return [path for path in files if path.suffix != ".gz"]


async def test_the_page_loads_files_of_ours_only_and_has_no_script_of_its_own(built: list[Path]) -> None:
    async with http(default_app()) as sender:
        response = await sender.get("/graphql", headers=HTML)
        assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert response.headers["cache-control"] == "no-cache"
        page = Page(response.text)
        assert page.inline == []
        assert len(page.loads) > 2
        for address in page.loads:
            assert HASHED.fullmatch(address.removeprefix("./assets/")), address
            assert (await sender.get(address.removeprefix("."))).status_code == 200, address


async def test_its_policy_lets_nothing_in_from_elsewhere_and_nothing_be_evaluated(built: list[Path]) -> None:
    async with http(default_app()) as sender:
        policy = (await sender.get("/graphql", headers=HTML)).headers["content-security-policy"]
    sources = {name: rest.split() for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}
    assert sources["default-src"] == sources["frame-ancestors"] == sources["base-uri"] == ["'none'"]
    for name in ("script-src", "worker-src", "connect-src", "font-src"):
        assert sources[name] == ["'self'"], name
    allowed = {"'none'", "'self'", "data:"}
    assert {source for name, given in sources.items() for source in given if name != "style-src"} <= allowed
    assert "data:" not in sources["script-src"]


async def test_its_files_have_hashes_and_are_kept_for_ever_and_packed(built: list[Path]) -> None:
    types = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
    async with http(default_app()) as sender:
        for path in built:
            assert HASHED.fullmatch(path.name), path.name
            plain = await sender.get(f"/assets/{path.name}", headers={"accept-encoding": "identity"})
            assert (plain.status_code, plain.content) == (200, path.read_bytes())
            assert plain.headers["content-type"].partition(";")[0] == types[path.suffix]
            assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
            packed = await sender.get(f"/assets/{path.name}", headers={"accept-encoding": "gzip, br"})
            assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding, Origin")
            assert packed.content == plain.content
            assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()
        for name in ("nothing.js", f"{built[0].name}.gz", "..%2findex.html", "x" * 5000, "%00.js", "index.html"):
            assert (await sender.get(f"/assets/{name}")).status_code == 404, name[:20]


async def test_its_style_sheets_load_nothing_from_elsewhere(built: list[Path]) -> None:
    for path in built:
        if path.suffix == ".css":
            text = path.read_text("utf-8")
            assert "@import" not in text
            for address in re.findall(r"url\(\s*[\"']?([^)\"']*)", text):
                assert address.startswith(("data:image/", "#")) or HASHED.fullmatch(address.removeprefix("./")), address


async def test_turned_off_nothing_of_it_is_there(built: list[Path], tmp_path: Path) -> None:
    trusting = read_settings(trusted_documents=tmp_path, only_trusted_documents=True)
    for settings in (read_settings(graphiql=False), trusting):
        async with http(create_app(settings)) as sender:
            assert (await sender.get("/graphql", headers={"accept": "text/html"})).status_code == 406
            assert (await sender.get(f"/assets/{built[0].name}")).status_code == 404


async def test_not_built_it_says_what_to_do_and_the_api_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.app.GraphiQL", lambda: GraphiQL(tmp_path / "nowhere"))
    async with http(create_app(read_settings())) as sender:
        response = await sender.get("/graphql", headers=HTML)
        assert (response.status_code, "scripts/web" in response.text) == (503, True)
        assert (await sender.post("/graphql", json={"query": "{ __typename }"})).status_code == 200


async def test_another_build_is_served_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.app.GraphiQL", lambda: GraphiQL(tmp_path))
    assets = tmp_path / "assets"
    assets.mkdir()
    async with http(create_app(read_settings())) as sender:
        for build in ("one", "two"):
            (tmp_path / "index.html").write_text(build)
            (assets / f"index-{build}.js").write_text(build)
            assert (await sender.get("/graphql", headers=HTML)).text == build
            assert (await sender.get(f"/assets/index-{build}.js")).text == build
            (assets / f"index-{build}.js").unlink()
            assert (await sender.get(f"/assets/index-{build}.js")).status_code == 404


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_valid_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# ")
    assert validate(SCHEMA, parse(text)) == []
    # Lines that are longer are cut off beside the answer.
    assert max(len(line) for line in text.splitlines()) <= 70


async def test_each_example_runs_as_it_is_and_has_something_to_show(client: Client) -> None:
    assert client.user is not None
    world = World(client.user)
    await world.grow(2, 2)
    role = await client.run("CreateContactRole", name="Invoices", invoicePresentment=True, communication=True)
    designated = {"roleId": role["createContactRole"]["contactRole"]["id"], "lastName": "Okoro"}
    reachable = {"methods": [{"kind": "EMAIL", "value": "okoro@example.com"}]}
    await client.run("CreateContact", input={"customerId": world.ids["cus"][0], **designated, **reachable})
    # What web/src/examples.ts fills in.
    values = {
        "customerId": world.ids["cus"][0],
        "salesDocumentId": world.ids["sdo"][0],
        "day": clock.now().date().isoformat(),
    }
    kinds: set[OperationType] = set()
    for path in EXAMPLES:
        text = path.read_text("utf-8")
        [operation] = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)
        kinds.add(operation.operation)
        if operation.operation is OperationType.SUBSCRIPTION:
            continue
        declared = {definition.variable.name.value for definition in operation.variable_definitions or ()}
        data = await client.run(text, **{name: value for name, value in values.items() if name in declared})
        assert client.errors == [], path.name
        for answer in data.values():
            shown = {name: value for name, value in answer.items() if isinstance(value, list)}
            assert shown.pop("errors", []) == [], path.name
            shown.pop("warnings", None)
            assert all(shown.values()), path.name
    assert kinds == set(OperationType)


def test_the_lock_file_names_no_registry_and_has_a_digest_of_each_package() -> None:
    for folder in (ROOT / "web", ROOT / "tests" / "browser"):
        lock: dict[str, Any] = json.loads((folder / "package-lock.json").read_text("utf-8"))
        for name, package in lock["packages"].items():
            assert "resolved" not in package, name
            assert not name or package["integrity"].startswith("sha512-"), name
