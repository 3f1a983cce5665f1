"""A real Chromium without a screen, and axe-core, which looks for what keeps people from using a page."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.programs import missing, program_named

AXE = Path(__file__).parents[2] / "build/npm/node_modules/axe-core/axe.min.js"
"""Where `npm install --prefix build/npm axe-core` puts it."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SERIOUS = frozenset({"serious", "critical"})


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own."""
    found = program_named(*CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()


def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        missing("axe-core is not installed: npm install --prefix build/npm axe-core")
    return AXE.read_text(encoding="utf-8")


def barriers(page: Page, source: str) -> list[str]:
    """What axe-core finds serious about the page as it stands."""
    page.evaluate(f"{source};0")
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{each['id']}: {each['nodes'][0]['html']}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ]


def complaints(page: Page) -> list[str]:
    """A list that takes what the browser has to say of the page from now on."""
    heard: list[str] = []
    page.on(
        "console",
        lambda message: heard.append(message.text) if message.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("requestfailed", lambda request: heard.append(f"no answer to {request.url}"))
    return heard
