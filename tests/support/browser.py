"""A real Chromium, looked at as its users do: by roles, names and visible text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
WAIT_MS = 30_000
"""For whatever is expected of a page: machines that test are busy."""
CONNECTION_LOST = "net::ERR_"
_WATCH = """
window.seen = [];
const note = () => {
  for (const bar of document.querySelectorAll('[role=progressbar]')) {
    const key = bar.getAttribute('aria-label') + '\\n' + (bar.getAttribute('aria-valuenow') ?? '');
    if (window.latest?.get(bar.getAttribute('aria-label')) === key) continue;
    (window.latest ??= new Map()).set(bar.getAttribute('aria-label'), key);
    window.seen.push(key);
  }
};
new MutationObserver(note).observe(document, {subtree: true, childList: true, attributes: true});
"""


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A headless Chromium with a fresh profile, started with ``arguments``, too.

    Where there is none the test is skipped, in CI it fails.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "no Chromium is installed; on Debian: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A page in a fresh profile. It notes every figure that a bar shows, and what goes wrong in the page."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._context = browser.new_context(base_url=url, locale="en-GB")
        self._context.add_init_script(_WATCH)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.problems: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def bar(self, name: str) -> Locator:
        """The bar of the task of that name."""
        return self.page.get_by_role("progressbar", name=f"Progress of {name}", exact=True)

    def row(self, section: str, name: str) -> Locator:
        """The task of that name in a section of the board: ``Running``, ``Waiting`` or ``Just ended``."""
        link = self.page.get_by_role("link", name=name, exact=True)
        return self.page.get_by_role("region", name=section).get_by_role("listitem").filter(has=link)

    def percentages(self, name: str) -> list[int | None]:
        """What the bar of that name has shown until now, each change; ``None`` where it claimed nothing."""
        seen: list[str] = self.page.evaluate("window.seen")
        told = [entry.rpartition("\n") for entry in seen]
        return [int(value) if value else None for label, _, value in told if label == f"Progress of {name}"]

    def sign_in(self, token: str) -> None:
        """With a token, where people can sign in at an issuer, too."""
        expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.page.get_by_role("button", name="Use a token").click()
        enter(self.page, token)

    def expect_lost_connections(self) -> None:
        """The board was killed on purpose: what the browser itself says of that is no problem."""
        self.problems = [problem for problem in self.problems if CONNECTION_LOST not in problem]

    def close(self) -> None:
        """Close it; anything on its console fails the test."""
        self._context.close()
        assert self.problems == []

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")


def enter(page: Page, token: str) -> None:
    """Try a token, as typed into the form that asks for one."""
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Continue").click()
