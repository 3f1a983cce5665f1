"""The reference of metrics, which cannot lie."""

from pathlib import Path

import pytest

from exporter.catalogue import FAMILIES
from exporter.reference import main, reference

METRICS = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_reference_in_the_project_is_current() -> None:
    """`make docs` was run after the last change of the catalogue."""
    assert reference() == METRICS.read_text(encoding="utf-8")


def test_reference_names_every_family_once() -> None:
    """Each family has exactly one row."""
    rows = [line for line in reference().splitlines() if line.startswith("| `databricks_")]

    assert [f"| `{family.name}`" for family in FAMILIES] == [row.split(" |")[0] for row in rows]


def test_writes_then_checks(tmp_path: Path) -> None:
    """What was written passes the check."""
    file = tmp_path / "metrics.md"

    assert 0 == main([str(file)])
    assert 0 == main(["--check", str(file)])
    assert reference() == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [None, "# Metrics\n"])
def test_check_fails_and_changes_nothing(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing or different file fails the check, which says what to run."""
    file = tmp_path / "metrics.md"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    status = main(["--check", str(file)])

    assert 1 == status
    assert f"{file} is out of date: run python -m exporter.reference {file}\n" == capsys.readouterr().err
    assert content == (file.read_text(encoding="utf-8") if file.exists() else None)
