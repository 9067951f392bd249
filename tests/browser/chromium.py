"""A headless Chromium for tests: the one of scripts/browser, else one that the machine has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route, sync_playwright

UNPACKED = Path(__file__).resolve().parents[2] / ".web" / "browser"
OTHERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Tab:
    """A page, what it said in the console, and what it asked of anybody but `base`."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context = context
        self.base = base
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        context.route("**/*", self._route)
        self.page: Page = context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _route(self, route: Route) -> None:
        address = route.request.url
        if address.startswith((f"{self.base}/", "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(address)
            route.abort()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _failed(self, request: Request) -> None:
        # Leaving a page breaks off what it still loads.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")


def executable() -> tuple[str, dict[str, str]]:
    """Where Chromium is, and the environment that it needs. Where there is none to be had, the test is skipped."""
    if (UNPACKED / "chromium").exists():
        libraries = f"{UNPACKED / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
        return str(UNPACKED / "chromium"), {
            "LD_LIBRARY_PATH": libraries,
            "FONTCONFIG_FILE": str(UNPACKED / "fonts.conf"),
            "XDG_CACHE_HOME": str(UNPACKED / "cache"),
        }
    for name in OTHERS:
        if (found := shutil.which(name)) is not None:
            return found, {}
    return pytest.skip("no Chromium here: scripts/browser has one for Linux on x86-64")


@contextmanager
def tab(base: str) -> Iterator[Tab]:
    """A new tab of a new browser, which reaches nothing but `base`."""
    path, needs = executable()
    with sync_playwright() as playwright:
        # Chromium's sandbox needs what containers and root do not have.
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], env={**os.environ, **needs}, timeout=60_000
        )
        try:
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            context.set_default_timeout(60_000)
            yield Tab(context, base)
        finally:
            browser.close()
