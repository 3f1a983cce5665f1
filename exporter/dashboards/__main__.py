"""Writes the dashboards as JSON, so that users need no Python to load them.

`python -m exporter.dashboards monitoring/dashboards` writes the files; with `--check` it only says whether they are
current.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exporter.dashboards.board import Board, as_json
from exporter.dashboards.cost import cost
from exporter.dashboards.failures import failures
from exporter.dashboards.fleet import fleet
from exporter.dashboards.job import job
from exporter.dashboards.own import own
from exporter.dashboards.queue import queue

BOARDS: tuple[Callable[[], Board], ...] = (fleet, job, failures, cost, queue, own)


def files() -> Mapping[str, str]:
    """The text of each file by its name."""
    boards = (board() for board in BOARDS)
    return {f"{board.uid}.json": as_json(board) for board in boards}


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the folder; 1 when a check finds it out of date."""
    parser = argparse.ArgumentParser(
        prog="python -m exporter.dashboards", description="Write the dashboards."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file differs")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    folder: Path = given.folder
    wanted = files()
    found = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.json")}
    if not given.check:
        folder.mkdir(parents=True, exist_ok=True)
        for name in found.keys() - wanted.keys():
            (folder / name).unlink()
        for name, text in wanted.items():
            (folder / name).write_text(text, encoding="utf-8")
        return 0
    if found == wanted:
        return 0
    sys.stderr.write(f"{folder} is out of date: run python -m exporter.dashboards {folder}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
