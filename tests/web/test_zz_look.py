from __future__ import annotations
import os
from catalog.models import Presence
from tests.web.visit import Visit

OUT = "/tmp/w-image-scratch/shots"


def test_look(visit: Visit) -> None:
    page = visit.page
    A = "/r/local/odd/artifacts/-/tags/"
    paths = {
        "api": "/r/local/platform/api/-/tags/1.27.3",
        "docker": "/r/local/platform/api/-/tags/1.27.3?view=dockerfile",
        **{t: A + t for t in ("chart-1.27.3", "wasm", "llm", "buildcache", "mixed")},
        "list": "/r/local/odd/artifacts",
        "half": "/r/local/odd/things/-/tags/half",
    }
    only = os.environ.get("LOOK", "").split() or list(paths)
    for name in only:
        visit.go(paths[name])
        for width in (1360, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for theme in ("light", "dark"):
                if os.environ.get("FAST") and (width, theme) not in ((1360, "light"), (390, "dark")):
                    continue
                page.emulate_media(color_scheme=theme)
                page.screenshot(path=f"{OUT}/{name}-{width}-{theme}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        try:
            visit.check_all_looks(name)
        except AssertionError as e:
            print("AXE", name, str(e)[:1500])
