"""The parameters that questions have in common, each with what is allowed."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, WithJsonSchema
from pydantic_core import PydanticCustomError

from collector.core.vocabulary import ACTIVE_STATES, RESULTS, TERMINATED
from exporter.api.refusals import wrong

DIGITS = r"^[0-9]{1,20}$"
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def _one_of(words: Collection[str]) -> Callable[[str], str]:
    """Refuses every other word."""

    def check(word: str) -> str:
        if word not in words:
            raise PydanticCustomError("unknown_word", "unknown word")
        return word

    return check


def _words(words: Collection[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


Workspace = Annotated[
    str | None,
    Query(max_length=64, description="A workspace, by its name in the configuration. Without it: all."),
]
JobPattern = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=256,
        description="Jobs: an id, or a pattern for the whole name in which * stands for anything and ? for one "
        "character, capital or small; 1 to 256 characters.",
    ),
]
Team = Annotated[
    str | None,
    Query(min_length=1, max_length=256, description="Jobs that this team answers for; 1 to 256 characters."),
]
RESULT_WORDS = tuple(sorted(RESULTS))
STATES = (*ACTIVE_STATES, TERMINATED)
Results = Annotated[
    list[Annotated[str, AfterValidator(_one_of(RESULT_WORDS)), WithJsonSchema(_words(RESULT_WORDS))]] | None,
    Query(description=f"Results of the latest attempt, may be repeated: {', '.join(RESULT_WORDS)}."),
]
ActiveStates = Annotated[
    list[Annotated[str, AfterValidator(_one_of(ACTIVE_STATES)), WithJsonSchema(_words(ACTIVE_STATES))]]
    | None,
    Query(description=f"States, may be repeated: {', '.join(ACTIVE_STATES)}."),
]
States = Annotated[
    list[Annotated[str, AfterValidator(_one_of(STATES)), WithJsonSchema(_words(STATES))]] | None,
    Query(description=f"States, may be repeated: {', '.join(STATES)}."),
]
Since = Annotated[
    AwareDatetime | None,
    Query(description="Started at or after: ISO 8601 with an offset, such as 2026-03-02T12:00:00Z."),
]
Until = Annotated[
    AwareDatetime | None,
    Query(description="Started before: ISO 8601 with an offset, such as 2026-03-02T12:00:00Z."),
]
RunDays = Annotated[
    int, Query(ge=1, le=90, description="Runs that started in the last so many days: 1 to 90.")
]
UsageDays = Annotated[
    int, Query(ge=1, le=365, description="Usage of today and so many days before: 1 to 365.")
]
Cursor = Annotated[
    str | None,
    Query(max_length=1024, description="`next_cursor` of the answer before, for the same question."),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items in the answer: 1 to 1000.")]
ManyLimit = Annotated[int, Query(ge=1, le=10_000, description="Most items in the answer: 1 to 10000.")]
JobIdPath = Annotated[str, Path(pattern=DIGITS, description="Id of a job: 1 to 20 digits.")]
RunIdPath = Annotated[str, Path(pattern=DIGITS, description="Id of a run: 1 to 20 digits.")]


def period(since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """The two instants in UTC; refuses what is no time in which runs could have started."""
    for name, instant in (("since", since), ("until", until)):
        if instant and not EARLIEST <= instant <= LATEST:
            raise wrong(name, "out of range", "an instant from 1970 to 3000")
    if since and until and since >= until:
        raise wrong("until", "not after since", "an instant after since")
    return since, until
