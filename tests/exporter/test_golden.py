"""Whole pages, as a scraper gets them."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from collector.core.model import Agreement
from collector.core.snapshot import Snapshot
from exporter.exposition import Format, Renderer
from exporter.view import view
from tests.exporter.rewrite import GOLDEN, NAMES, golden_page
from tests.exporter.snapshots import options, rich, text
from tests.make import NOON
from tests.programs import program_named


@pytest.mark.parametrize("form", list(Format))
def test_page_is_the_golden_page(form: Format) -> None:
    """A change of the page is seen in review; `python -m tests.exporter.rewrite` writes it anew."""
    expected = (GOLDEN / NAMES[form]).read_text(encoding="utf-8")

    page = golden_page(form)

    assert expected == page


def test_promtool_has_no_remark() -> None:
    """The page follows the naming conventions that Prometheus itself checks."""
    done = subprocess.run(
        [program_named("promtool"), "check", "metrics"],
        input=golden_page(Format.TEXT),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_both_formats_say_the_same() -> None:
    """Text and OpenMetrics parse into the same samples; OpenMetrics only adds the exemplars."""
    plain = parse_text(golden_page(Format.TEXT))
    open_metrics = parse_openmetrics(golden_page(Format.OPENMETRICS))

    in_text = {(s.name, *sorted(s.labels.items())): s.value for family in plain for s in family.samples}
    in_open = {
        (s.name, *sorted(s.labels.items())): s.value for family in open_metrics for s in family.samples
    }

    lines = [line for line in golden_page(Format.TEXT).splitlines() if not line.startswith("#")]
    assert len(lines) == len(in_text)
    assert in_text == in_open


def test_exemplars_name_the_run() -> None:
    """A failure on a dashboard leads to the run: its id stands with the counter and the bucket, not in a label."""
    page = text(rich(), form=Format.OPENMETRICS)

    lines = [line for line in page.splitlines() if 'run_id="480"' in line]

    exemplar = ' # {run_id="480"} 1800.25 1772452200.0'
    assert [
        f'databricks_job_runs_finished_total{{job_id="7",job_name="orders",result="FAILED",workspace="prod"}} 2.0{exemplar}',
        f'databricks_run_duration_seconds_bucket{{le="3600.0",result="FAILED",workspace="prod"}} 2.0{exemplar}',
    ] == lines


@pytest.mark.parametrize("given", [{"exemplars": False}, {"form": Format.TEXT}])
def test_no_run_ids_without_exemplars(given: dict[str, object]) -> None:
    """Switched off, and in the text format, nothing names a run."""
    page = text(rich(), **({"form": Format.OPENMETRICS} | given))  # type: ignore[arg-type]

    assert "run_id" not in page


def test_page_carries_the_process() -> None:
    """Beside the catalogue the page has the usual metrics of a Python process, once each."""
    page = Renderer().page(view(rich(), options(), NOON), Format.OPENMETRICS).decode()

    names = [family.name for family in parse_openmetrics(page)]
    assert {"process_cpu_seconds", "python_info", "python_gc_collections"} <= set(names)
    assert len(set(names)) == len(names)


def test_no_created_series() -> None:
    """Series of creation times would double the counters."""
    page = Renderer().page(view(rich(), options(), NOON), Format.OPENMETRICS).decode()

    assert "_created" not in page


def changed(shown: Snapshot, **given: object) -> Snapshot:
    """The snapshot with other facts about its first workspace."""
    first, *others = shown.workspaces
    return replace(shown, workspaces=(replace(first, **given), *others))


def histories() -> Iterator[tuple[Snapshot, datetime]]:
    """Everything that can change about a job, one after another, and the instant at which it is shown."""
    shown = rich()
    yield shown, NOON
    first = shown.workspaces[0]
    orders, *others = first.jobs
    for facts in (
        {"consecutive_failures": 3, "last_end": NOON},
        {"name": "renamed"},
        {"agreement": Agreement()},
        {"deleted": NOON},
    ):
        shown = changed(shown, jobs=(replace(orders, **facts), *others))  # type: ignore[arg-type]  # the fields' own types
        yield shown, NOON
    shown = rich()
    for measure, values in first.counters.items():
        counters = {**first.counters, measure: (replace(values[0], value=99), *values[1:])}
        yield changed(shown, counters=counters), NOON
    yield changed(shown, active_runs=first.active_runs[1:]), NOON
    yield changed(shown, bill=None), NOON
    assert first.bill
    yield changed(shown, bill=replace(first.bill, made=NOON + timedelta(hours=1))), NOON
    yield changed(shown, jobs=others), NOON
    yield rich(), NOON
    yield rich(), NOON + timedelta(hours=18)  # the schedule was due
    yield rich(), NOON + timedelta(days=2)  # what is live is stale


@pytest.mark.parametrize("form", Format)
def test_renderer_that_remembers_shows_what_changed(form: Format) -> None:
    """Whatever changes about a job, a renderer that remembers lines gives the page of one that does not."""
    lasting = {"stale_after": timedelta(days=1)}
    renderer, before, pages = Renderer(process=False), None, set()

    for shown, now in histories():
        before = view(shown, options(**lasting), now, before=before)
        page = renderer.page(before, form).decode()

        assert text(shown, now, form=form, **lasting) == page
        pages.add(page)

    assert len(pages) > len(rich().workspaces[0].counters)


def test_a_job_that_did_not_change_is_the_same() -> None:
    """So that its lines need not be made again; all others are new."""
    before = view(rich(), options(), NOON)
    orders, *others = rich().workspaces[0].jobs

    after = view(
        changed(rich(), jobs=(replace(orders, last_end=NOON), *others)), options(), NOON, before=before
    )

    same = [
        one is other for one, other in zip(before.workspaces[0].jobs, after.workspaces[0].jobs, strict=True)
    ]
    assert [False, *(True for _ in others)] == same
