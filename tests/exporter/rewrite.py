"""Writes the golden pages: `python -m tests.exporter.rewrite`, then read the difference before committing it."""

from pathlib import Path

from exporter.exposition import Format
from tests.exporter.snapshots import rich, text

GOLDEN = Path(__file__).parent / "golden"
NAMES = {Format.TEXT: "page.txt", Format.OPENMETRICS: "page.openmetrics"}


def golden_page(form: Format) -> str:
    """The page of the rich snapshot with everything switched on."""
    everything = {
        "task_runs": True,
        "job_histograms": True,
        "tag_labels": ("team", "costCenter"),
        "discounts": True,
        "demo": True,
    }
    return text(rich(), form=form, **everything)


def main() -> None:
    """Overwrites both pages."""
    for form, name in NAMES.items():
        (GOLDEN / name).write_text(golden_page(form), encoding="utf-8")


if __name__ == "__main__":
    main()
