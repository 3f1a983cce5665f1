"""Whole pages, as a scraper gets them."""

import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

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


def test_renderer_shows_what_changed() -> None:
    """A renderer that remembers lines gives the same page as one that does not."""
    renderer = Renderer(process=False)
    renderer.page(view(rich(), options(), NOON), Format.TEXT)

    again = renderer.page(view(rich(), options(stale_after=options().stale_after * 0), NOON), Format.TEXT)

    assert text(rich(), stale_after=options().stale_after * 0) == again.decode()
    assert text(rich()) != again.decode()
