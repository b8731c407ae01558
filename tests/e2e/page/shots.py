"""Pictures of every view at two sizes, for the README and for looking at them: `make shots`."""

from __future__ import annotations

import argparse
import io
import json
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.page.conftest import serving
from tests.e2e.page.visitor import Visitor, launch

CHECKOUT = Path(__file__).resolve().parents[3]
VIEWS = {
    "map": "/?policy=huaian-2024",
    "map-3d": "/?by=benefit_per_mu&color=metric&d3=1&at=31.372,120.555,11.9,-18,58",
    "map-grades": "/?policy=huaian-2024&at=31.905,120.09,12,0,0",
    "map-english": "/?lang=en&by=benefit_per_mu",
    "overview": "/?view=overview&policy=huaian-2024",
    "rankings": "/?view=rankings&policy=huaian-2024",
    "rankings-worst": "/?view=rankings&lang=en&industry=26&region=3205&order=worst",
    "portrait": "/?view=portrait&policy=huaian-2024&enterprise={enterprise}",
    "whatif": "/?view=whatif&policy=huaian-2024&region=3205",
    "desk": "/?view=desk",
}
ON_PHONE = ("map", "overview", "rankings", "portrait", "whatif", "desk")


def take(browser: Browser, base: str, out: Path, name: str, path: str, size: str) -> None:
    """One picture; complaints of the page are printed."""
    visitor = Visitor(browser, base, CHECKOUT / "none", size)
    visitor.open(path)
    visitor.page.wait_for_timeout(2500)  # the map's last tiles, a chart's last movement
    ending = "" if size == "wide" else "-phone"
    taken = Image.open(io.BytesIO(visitor.page.screenshot())).convert("RGB")
    taken.quantize(160).save(out / f"page-{name}{ending}.png", optimize=True)  # a third of the bytes, no eye sees it
    print(f"page-{name}{ending}.png", *visitor.complaints)
    visitor.context.close()


def main() -> None:
    """Serve a warehouse and go through the views."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "docs" / "pictures")
    parser.add_argument("--only", default="", help="views, separated by commas")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = given.only.split(",") if given.only else list(VIEWS)
    for base in serving(given.home.resolve(), CHECKOUT):
        first = json.load(urllib.request.urlopen(f"{base}/api/v1/rankings?policy=huaian-2024&limit=40"))["rows"][-1]
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for name in wanted:
                path = VIEWS[name].format(enterprise=first["enterprise_id"])
                take(browser, base, given.out, name, path, "wide")
                if name in ON_PHONE:
                    take(browser, base, given.out, name, path, "narrow")
            browser.close()


if __name__ == "__main__":
    main()
