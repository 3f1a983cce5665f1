"""Asks a simulated workspace without any client library, so that nothing is corrected on the way."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from simulator import Simulator

RUNS = "/api/2.2/jobs/runs/list"
RUN = "/api/2.2/jobs/runs/get"
JOBS = "/api/2.2/jobs/list"
JOB = "/api/2.2/jobs/get"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(sim: Simulator, path: str, *, token: str | None = None, **query: object) -> Answer:
    """GET with the simulator's token, or another; an HTTP error is an answer like any other."""
    return ask_text(sim, path + ("?" + urlencode(query) if query else ""), token=token)


def ask_text(sim: Simulator, target: str, *, token: str | None = None) -> Answer:
    """The same with a query string written out."""
    bearer = sim.token if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        with urlopen(Request(sim.url + target, headers=headers), timeout=10) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read().decode())


def walk(sim: Simulator, path: str = RUNS, key: str = "runs", /, **query: object) -> list[dict[str, Any]]:
    """The items of all pages."""
    items, token = [], ""
    while True:
        page = ask(sim, path, **query, **({"page_token": token} if token else {})).json
        items += page.get(key, [])
        token = page.get("next_page_token")
        if token is None:
            return items
