"""A real browser opens the pages of the demo and keeps its place while they follow the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from collector.core.snapshot import Snapshot
from exporter.pages import Pages
from exporter.server import create_app, serving
from tests.end_to_end.browser import axe, barriers, chromium, complaints
from tests.end_to_end.program import started
from tests.exporter.history import MemoryHistory, detailed, run_record, task, why
from tests.exporter.snapshots import active, facts, options, snapshot, workspace
from tests.exporter.store import Clock, MemoryStore
from tests.make import at

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LONG = "a_name_without_end_" * 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextmanager
def opened(browser: Browser, **given: object) -> Iterator[tuple[Page, list[str]]]:
    """A window of its own, and what the browser complained of in it."""
    context = browser.new_context(**({"viewport": WIDE} | given))  # type: ignore[arg-type]
    try:
        page = context.new_page()
        yield page, complaints(page)
    finally:
        context.close()


@contextmanager
def served(shown: Snapshot, history: MemoryHistory | None = None) -> Iterator[tuple[str, MemoryStore, Pages]]:
    """The address of pages over this snapshot, and the store to change it in."""
    store = MemoryStore(shown)
    pages = Pages(store, options(), Clock())
    pages.refresh()
    with serving(create_app(pages, history or MemoryHistory()), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}", store, pages


@pytest.mark.slow
@pytest.mark.parametrize(
    ("active_runs", "at_least"), [(25, 5), pytest.param(2000, 1500, marks=pytest.mark.full)]
)
def test_every_page_of_the_demo(browser: Browser, tmp_path: Path, active_runs: int, at_least: int) -> None:
    """Light and dark, wide and narrow: no complaint, nothing wider than the screen, nothing that keeps people out."""
    source = axe()
    with started(
        tmp_path, "demo", "--listen", "127.0.0.1:0", "--jobs", "300", "--active-runs", active_runs
    ) as demo:
        demo.wait_for(1, "databricks_exporter_collector_up", collector="billing")
        with opened(browser) as (page, heard):
            page.goto(f"{demo.address}/?show=active")
            runs = page.locator("#active h2 .total").inner_text()
            job = page.locator("#active th .name[href*='jobs/']").first.get_attribute("href") or ""
            page.goto(f"{demo.address}/{job}")
            run = page.locator("#runs th a[href*='runs/']").last.get_attribute("href") or ""
            paths = ["", "?show=active", "?show=cost", job.lstrip("./"), run.lstrip("./")]
            found = [
                finding for path in paths for finding in _looked_at(page, f"{demo.address}/{path}", source)
            ]

    assert int(runs.replace(",", "")) >= at_least
    assert [] == found
    assert [] == heard


def _looked_at(page: Page, address: str, source: str) -> list[str]:
    """What is wrong with a page in either light and either width."""
    found = []
    answer = page.goto(address)
    assert answer is not None
    assert 200 == answer.status, address
    for light in ("light", "dark"):
        page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            wide = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{wide} pixels on {size['width']}"] if wide > size["width"] else []
            # the colours do not depend on the width, nor what is hidden on the light
            found += barriers(page, source) if (light == "light") == (size is WIDE) else []
    return [f"{address}: {each}" for each in found]


def test_hostile_names_do_not_widen_pages(browser: Browser) -> None:
    """Names and messages without an end or a space stay within a phone's screen, in every table, and keep nobody out."""
    source = axe()
    run = run_record(
        name=LONG,
        message=LONG,
        result="FAILED",
        termination_code=LONG,
        details=detailed(task(LONG, message=LONG, result="FAILED")),
    )
    job = facts(name=LONG, consecutive_failures=1, last_result=LONG, last_end=at(-60))
    shown = snapshot(workspace(job, host=LONG, active_runs=(active(state=LONG, queue_reason=LONG),)))
    with (
        served(shown, MemoryHistory(run, failing=[why(message=LONG)])) as (address, _, _),
        opened(browser, viewport=NARROW) as (page, heard),
    ):
        widths, found = [], []
        for path in ("/", "/jobs/prod/7", "/runs/prod/480"):
            page.goto(address + path)
            widths.append(page.evaluate("document.documentElement.scrollWidth"))
            found += barriers(page, source)

    assert [NARROW["width"]] * 3 == widths
    assert [] == found
    assert [] == heard


def test_following_keeps_the_readers_place(browser: Browser) -> None:
    """New rows appear while scroll, focus, an open message and typed text stay as they are."""
    failing = [
        facts(
            f"{number}", f"job {number}", consecutive_failures=1, last_end=at(-number), last_result="FAILED"
        )
        for number in range(2, 12)
    ]
    reasons = MemoryHistory(
        failing=[why(f"{number}", message="a long story " * 40) for number in range(1, 12)]
    )
    newest = facts("1", "job 1", consecutive_failures=1, last_end=at(0), last_result="FAILED")
    with (
        served(snapshot(workspace(*failing)), reasons) as (address, store, pages),
        opened(browser) as (page, heard),
    ):
        page.clock.install()
        page.goto(address)
        page.fill("input[name=q]", "half a wo")
        fourth = page.locator("#failing tr[data-key='prod/5']")
        fourth.locator("summary").click()
        fourth.locator("a.name").focus()
        page.evaluate("scrollTo(0, 400)")
        before = fourth.bounding_box()

        store.shown = snapshot(workspace(newest, *failing), revision=2)
        pages.refresh()
        page.clock.fast_forward(11_000)
        expect(page.locator("#failing tr[data-key='prod/1']")).to_be_attached()

        after = fourth.bounding_box()
        focused = page.evaluate("document.activeElement.textContent")
        text = page.input_value("input[name=q]")
        is_open = fourth.locator("details").get_attribute("open")
        rows = page.locator("#failing tbody tr").count()

    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    assert ("job 5", "half a wo", "", 10) == (focused, text, is_open, rows)
    assert [] == heard


def test_pause_and_trouble(browser: Browser) -> None:
    """The reader can stop the updates, and is told when the exporter does not answer any more."""
    with opened(browser) as (page, _):
        page.clock.install()
        with served(snapshot(workspace(facts()))) as (address, store, pages):
            page.goto(address)
            page.click("#pause")
            store.shown = snapshot(workspace(facts(), facts("8", "clicks")), revision=2)
            pages.refresh()
            page.clock.fast_forward(30_000)
            paused = page.locator("#jobs h2 .total").inner_text()
            page.click("#pause")
            expect(page.locator("#jobs h2 .total")).to_have_text("2")
        page.clock.fast_forward(11_000)
        expect(page.locator("#trouble")).to_contain_text("No answer since")

    assert "1" == paused


def test_switch_between_light_and_dark(browser: Browser) -> None:
    """The switch overrules the system, and the choice is remembered on the next page."""
    colour = "getComputedStyle(document.body).backgroundColor"
    with (
        served(snapshot(workspace(facts()))) as (address, _, _),
        opened(browser, color_scheme="light") as (
            page,
            heard,
        ),
    ):
        page.goto(address)
        light = page.evaluate(colour)
        page.click("#theme")
        page.click("#theme")
        dark = page.evaluate(colour)
        page.goto(f"{address}/?show=jobs")
        kept = page.evaluate(colour)

    assert light != dark == kept
    assert [] == heard


def test_without_script_and_by_keyboard(browser: Browser) -> None:
    """Search, filters and links work without script, and the first stop of the keyboard leads to the content."""
    shown = snapshot(workspace(facts(), facts("8", "clicks")))
    with served(shown) as (address, _, _), opened(browser, java_script_enabled=False) as (page, heard):
        page.goto(address)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        skipped = page.url
        page.fill("input[name=q]", "CLICK")
        page.select_option("select[name=show]", "jobs")
        page.keyboard.press("Tab")
        page.click("button[type=submit]")
        found = page.locator("#jobs tbody th").all_inner_texts()
        page.click("text=Refresh")
        again = page.url

    assert skipped.endswith("#main")
    assert ["clicks"] == found
    assert again.endswith("?q=CLICK&show=jobs")
    assert [] == heard
