"""The dashboards as Grafana gets them: their panels, queries and links, and what Grafana would fill in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "monitoring" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One expression, and where it stands."""

    board: str
    panel: str
    letter: str
    expr: str
    instant: bool
    legend: str

    def __str__(self) -> str:
        return f"{self.board} / {self.panel} / {self.letter}"


def board(file: Path) -> Any:
    """What the file holds."""
    return json.loads(file.read_text(encoding="utf-8"))


def panels(content: Any) -> list[Any]:
    """All panels but the rows' titles."""
    return [panel for panel in content["panels"] if panel["type"] != "row"]


def queries(content: Any) -> Iterator[Query]:
    """The expressions of all panels."""
    for panel in panels(content):
        for target in panel["targets"]:
            yield Query(
                board=content["uid"],
                panel=panel["title"],
                letter=target["refId"],
                expr=target["expr"],
                instant=target["instant"],
                legend=target.get("legendFormat", ""),
            )


def annotations(content: Any) -> Iterator[Query]:
    """The expressions of the annotations."""
    for marks in content["annotations"]["list"]:
        yield Query(
            board=content["uid"],
            panel=f"annotation {marks['name']}",
            letter="Anno",
            expr=marks["expr"],
            instant=False,
            legend="",
        )


def variables(content: Any) -> dict[str, Any]:
    """The variables by name."""
    return {variable["name"]: variable for variable in content["templating"]["list"]}


def expressions(content: Any) -> list[str]:
    """Everything that Prometheus is asked: by panels, annotations and variables."""
    asked = [query.expr for query in (*queries(content), *annotations(content))]
    return asked + [
        variable["query"] for variable in variables(content).values() if variable["type"] == "query"
    ]


def links(content: Any) -> list[str]:
    """Where the dashboard's links and those of its cells lead."""
    own = [link["url"] for link in content["links"] if link["type"] == "link"]
    properties = (
        entry
        for panel in panels(content)
        for override in panel["fieldConfig"]["overrides"]
        for entry in override["properties"]
    )
    return own + [link["url"] for entry in properties if entry["id"] == "links" for link in entry["value"]]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced; an unknown one is an error."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], text)
