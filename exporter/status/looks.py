"""The templates, and the style, script and icon that the pages load. Everything that is inserted is escaped."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FunctionLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from collector.core.snapshot import Amount
from collector.core.vocabulary import outcome
from exporter.status import links, words
from exporter.status.question import TITLES, Question, Show

ASSETS = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Content types by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file that pages load."""

    body: bytes
    kind: str
    version: str
    """Changes with the content."""


def assets() -> Mapping[str, Asset]:
    """All of them, by name."""
    folder = files("exporter.status") / "assets"
    bodies = {name: (folder / name).read_bytes() for name in ASSETS}
    return {
        name: Asset(body=body, kind=ASSETS[name], version=hashlib.sha256(body).hexdigest()[:12])
        for name, body in bodies.items()
    }


class Templates:
    """Draws pages. What they are drawn from is named in the templates."""

    def __init__(self, known: Mapping[str, Asset]) -> None:
        self._assets = known
        self._environment = Environment(
            autoescape=True,
            loader=FunctionLoader(_source),
            trim_blocks=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )
        self._environment.filters |= {
            "ago": _ago,
            "brief": _brief,
            "count": words.count,
            "day": words.day,
            "dbus": words.dbus,
            "machine": words.machine,
            "main_cost": _main_cost,
            "many": words.many,
            "moment": words.moment,
            "outcome": lambda result: outcome(result).value,
            "phrase": words.phrase,
            "ratio": words.ratio,
            "short": _short,
            "span": words.span,
            "sums": words.sums,
            "until": _until,
        }
        self._environment.globals |= {
            "job_link": links.job_page,
            "moment_long": timedelta(microseconds=1),
            "run_link": links.run_page,
            "shows": Show,
            "team_query": _team_query,
            "titles": TITLES,
        }

    def drawn(self, name: str, *, root: str, now: datetime, **given: Any) -> str:
        """The page; `root` leads from it to the overview."""

        def asset(wanted: str) -> str:
            return f"{root}static/{quote(wanted)}?v={self._assets[wanted].version}"

        return self._environment.get_template(name).render(root=root, now=now, asset=asset, **given)


def _source(name: str) -> str:
    return (files("exporter.status") / "templates" / name).read_text(encoding="utf-8")


@pass_context
def _ago(context: Context, instant: datetime) -> str:
    return words.ago(instant, context["now"])


@pass_context
def _until(context: Context, instant: datetime) -> str:
    return words.rough(instant - context["now"])


@pass_context
def _short(context: Context, instant: datetime) -> str:
    return words.short(instant, context["now"])


@pass_context
def _main_cost(context: Context, of: Amount) -> str:
    """The cost in one line, or the DBUs where nothing has a price."""
    costs = of.net_costs if context["options"].discounts else of.costs
    return words.sums(costs) or f"{words.dbus(of.dbus)} DBU"


def _brief(length: timedelta) -> str:
    """A length of time that may be less than a second."""
    seconds = length.total_seconds()
    return words.span(length) if seconds >= 10 else f"{seconds:.2g} s"


def _team_query(asked: Question, team: str) -> str:
    given = {"workspace": asked.workspace, "team": team, "q": asked.text, "show": asked.show.value}
    return "?" + urlencode({key: value for key, value in given.items() if value})
