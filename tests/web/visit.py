"""A browser window on Berth, and what may not go wrong in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Error, Page, Request

from tests.web import furniture as make
from tests.web.harbour import Harbour

AXE: Final = Axe()
_OF_COLOURS: Final = ("color-contrast", "link-in-text-block")  # all else is the same in both themes
# What axe looks at. Colours take most of its time.
_ALL: Final[dict[str, Any]] = {}
_COLOURS: Final = {"runOnly": {"type": "rule", "values": _OF_COLOURS}}
_BUT_COLOURS: Final = {"rules": {rule: {"enabled": False} for rule in _OF_COLOURS}}
# What it finds in order is a hundred times as long as what it does not, and takes its time to travel.
_RUN_AXE: Final = "options => axe.run(options).then(({violations}) => ({violations}))"
# Not of animations: the bar of a job that tells no figure moves for ever. Nor by what they promise: the change of an
# element that is not drawn, in a closed part of the page, is over without ever saying so.
# A browser that is late shows a page before the change to it could be drawn, and says so: nothing of ours failed.
_UNSHOWN: Final = "Transition was aborted"
_CHANGES_END: Final = """async () => {
    while (document.getAnimations().some(change => change instanceof CSSTransition && change.playState == "running"))
        await new Promise(requestAnimationFrame)
}"""


@dataclass
class Visit:
    """A browser window in which somebody is signed in, and what went wrong in it."""

    page: Page
    origin: str
    harbour: Harbour
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)
        self.page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108  the driver marks it

    def _error(self, error: Error) -> None:
        if _UNSHOWN not in error.message:
            self.complaints.append(f"error: {error}")

    def _console(self, message: ConsoleMessage) -> None:
        expected = "status of 404" in message.text and message.location["url"].endswith("/nothing/here")
        if message.type in {"error", "warning"} and not expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def go(self, path: str) -> None:
        self.page.goto(self.origin + path)

    def sign_in(self) -> None:
        self.go("/sign-in")
        self.page.locator("[name=username]").fill("mara")
        self.page.locator("[name=password]").fill(make.PASSWORD)
        self.page.get_by_role("main").get_by_role("button").click()
        self.page.wait_for_url(f"{self.origin}/")

    def check(self, path: str) -> None:
        """Clean in the eyes of axe, no wider than the window, nothing complained of, nothing asked of others."""
        self._check_with_axe(path, _ALL)
        self.check_whole(path)

    def check_but_colours(self, path: str) -> None:
        """As `check` does, of a page whose colours others tell."""
        self._check_with_axe(path, _BUT_COLOURS)
        self.check_whole(path)

    def check_whole(self, path: str) -> None:
        """As `check` does, but not in the eyes of axe, which take their time."""
        too_wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{path} is {too_wide} px too wide"
        assert self.complaints == [], f"{path}: {self.complaints}"
        foreign = [r.url for r in self.requests if not r.url.startswith((self.origin, "data:"))]
        assert foreign == []

    def check_all_looks(self, path: str) -> None:
        """Narrow and wide: axe looks at all of it narrow and light, and at the colours wide, in both themes."""
        self.page.set_viewport_size({"width": 390, "height": 900})
        self.check(f"{path}, 390 px")
        self.page.set_viewport_size({"width": 1360, "height": 900})
        self._check_with_axe(f"{path}, 1360 px", _COLOURS)
        self.check_whole(f"{path}, 1360 px")
        self._turn("dark")
        self._check_with_axe(f"{path}, dark", _COLOURS)
        self._turn("light")

    def check_elements(self, path: str) -> None:
        """Narrow and wide: of a page whose colours are told another day, which takes axe most of its time."""
        self.page.set_viewport_size({"width": 390, "height": 900})
        self.check_but_colours(f"{path}, 390 px")
        self.page.set_viewport_size({"width": 1360, "height": 900})
        self.check_whole(f"{path}, 1360 px")

    def check_two_looks(self, path: str) -> None:
        """Wide and narrow: of a page whose elements and colours another language told."""
        self.page.set_viewport_size({"width": 1360, "height": 900})
        self.check_whole(f"{path}, 1360 px")
        self.page.set_viewport_size({"width": 390, "height": 900})
        self.check_whole(f"{path}, 390 px")

    def _turn(self, scheme: Literal["dark", "light"]) -> None:
        """Into the other theme, to the end of the change of colours."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.evaluate("() => new Promise(requestAnimationFrame)")
        self.page.evaluate(_CHANGES_END)

    def _check_with_axe(self, path: str, what: dict[str, Any]) -> None:
        if not self.page.evaluate("'axe' in window"):  # half a megabyte: once a page
            self.page.evaluate(AXE.axe_script)
        given = {"resultTypes": ["violations"], "preload": False, **what}
        found = AxeResults(self.page.evaluate(_RUN_AXE, given))
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
