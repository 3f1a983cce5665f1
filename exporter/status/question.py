"""What the reader of a page asked for, by its query; wrong words are refused with what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

LONGEST = 200
"""Characters of a text that is searched for, and of a name."""
LAST_PAGE = 100_000


class Show(StrEnum):
    """One table in full; without one, the overview with the top of each."""

    OVERVIEW = ""
    FAILING = "failing"
    LATE = "late"
    ACTIVE = "active"
    RUNNING = "running"
    QUEUED = "queued"
    SLOW = "slow"
    COST = "cost"
    JOBS = "jobs"
    COLLECTORS = "collectors"


TITLES: Mapping[Show, str] = {
    Show.OVERVIEW: "Overview",
    Show.FAILING: "Failing now",
    Show.LATE: "Not started when due",
    Show.ACTIVE: "Active runs",
    Show.RUNNING: "Running",
    Show.QUEUED: "Queued",
    Show.SLOW: "Slow or over SLA",
    Show.COST: "Cost",
    Show.JOBS: "All jobs",
    Show.COLLECTORS: "Collectors",
}


class BadQuestionError(ValueError):
    """The query cannot be answered. Its text is a list of sentences for the reader."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(" ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to show of what."""

    workspace: str = ""
    """Empty for all."""
    team: str = ""
    """Empty for all."""
    text: str = ""
    """What names or ids contain, in any case."""
    show: Show = Show.OVERVIEW
    page: int = 1
    """Of the table, from 1."""

    @property
    def narrowed(self) -> bool:
        """True when it leaves something out."""
        return bool(self.workspace or self.team or self.text)

    def fits(self, workspace: str, team: str, *texts: str) -> bool:
        """True for what the reader wants to see."""
        if self.workspace and workspace != self.workspace:
            return False
        if self.team and team != self.team:
            return False
        wanted = self.text.casefold()
        return not wanted or any(wanted in text.casefold() for text in texts)

    def query(self, *, show: Show | None = None, page: int = 1) -> str:
        """The same filters as a link, with another table or page."""
        given = {
            "workspace": self.workspace,
            "team": self.team,
            "q": self.text,
            "show": (self.show if show is None else show).value,
            "page": "" if page == 1 else f"{page}",
        }
        return "?" + urlencode({key: value for key, value in given.items() if value})


def question(query: Mapping[str, str]) -> Question:
    """What the query asks; keys that no page knows are passed over. Raises BadQuestionError."""
    mistakes = [
        f"{key} may have {LONGEST} characters at most."
        for key in ("workspace", "team", "q")
        if len(query.get(key, "")) > LONGEST
    ]
    show, page = query.get("show", ""), query.get("page", "") or "1"
    if show not in set(Show):
        mistakes.append(f"show is one of {', '.join(each.value for each in Show if each)}, or empty.")
    if not (page.isascii() and page.isdecimal() and len(page) <= 6 and 1 <= int(page) <= LAST_PAGE):
        mistakes.append(f"page is a whole number from 1 to {LAST_PAGE}.")
    if mistakes:
        raise BadQuestionError(mistakes)
    return Question(
        workspace=query.get("workspace", ""),
        team=query.get("team", ""),
        text=query.get("q", "").strip(),
        show=Show(show),
        page=int(page),
    )
