"""A real Chromium at the page: opens a state, waits for it, and keeps what went wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

# The shell first: a whole browser opens pages of its own (its address bar's, since 156) with every window, a second of work.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
# No graphics card: WebGL is drawn by the processor.
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--enable-unsafe-swiftshader"]
# What Chromium says of the machine and not of the page: drawing by the processor, and scripts that started late.
SLOW = ("GPU stall due to ReadPixels", "was preloaded using link preload but not used within a few seconds")
SIZES = {"wide": (1440, 900), "narrow": (390, 844), "zoomed": (720, 450)}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Views set data-ready on <main>'s first child once what they show is there.
READY = "main [data-ready=true], main > .empty[role=alert]"


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium, headless."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)


class Visitor:
    """One window at a server. Leaving it (``check``) finds console errors and requests to elsewhere."""

    def __init__(self, browser: Browser, base: str, axe: Path, size: str = "wide", **context: Any) -> None:
        width, height = SIZES[size]
        viewport = {"width": width, "height": height}
        self.context: BrowserContext = browser.new_context(viewport=viewport, accept_downloads=True, **context)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.base, self._axe = base, axe
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self._hear(m.type, m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.context.on("request", lambda r: self.requests.append(r.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(slow in text for slow in SLOW):
            self.complaints.append(text)

    def open(self, path: str) -> Page:
        """Go to an address of the page and wait until its view says that it is ready."""
        self.page.goto(self.base + path)
        return self.ready()

    def ready(self) -> Page:
        """Wait until the view shows what was asked."""
        self.page.wait_for_selector(READY, timeout=30_000, state="attached")
        return self.page

    def until(self, script: str, seconds: float = 20) -> None:
        """Wait until a script is true. (The page's own policy forbids what Playwright's wait_for_function does.)"""
        for _ in range(int(seconds * 20)):
            if self.page.evaluate(script):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not within {seconds} s: {script}")

    @property
    def address(self) -> str:
        """The address without the server."""
        return self.page.url.removeprefix(self.base)

    def axe(self, exclude: tuple[str, ...] = ()) -> list[str]:
        """What axe finds against WCAG 2.2 AA: rule, where, why."""
        self.page.evaluate(self._axe.read_text("utf-8"))
        asked = {"runOnly": {"type": "tag", "values": WCAG}}
        found = self.page.evaluate(
            f"axe.run({json.dumps({'exclude': [[e] for e in exclude]})}, {json.dumps(asked)}).then(r => r.violations)"
        )
        return [f"{v['id']}: {n['target']} {n['failureSummary']}" for v in found for n in v["nodes"]]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def leave(self) -> None:
        """Close the window. What is still on its way is then cut off, and that the page complains of it is no fault."""
        heard = list(self.complaints)
        self.context.close()
        self.complaints = heard

    def check(self) -> None:
        """No console error or warning, and nothing asked of another origin."""
        foreign = [u for u in self.requests if not u.startswith((self.base, "data:", "blob:"))]
        assert foreign == [], foreign
        assert self.complaints == [], self.complaints
