"""What every answer says of itself: how fresh its data are, which part of a list it is, why it is refused."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from exporter.api.models.fields import Workspace


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Source(Model):
    """How fresh the data of one collector of one workspace are."""

    workspace: Workspace
    collector: str = Field(description="live, definitions, lookback, system_tables or billing.")
    last_success: datetime | None = Field(
        description="End of its last successful poll; null when none succeeded."
    )
    age_seconds: float | None = Field(description="Seconds since then.")
    newest_record: datetime | None = Field(
        description="The latest instant that the system table behind it tells of, which is minutes to hours late; "
        "null for the Jobs API."
    )
    stale: bool = Field(description="True when the last success is too long ago for its interval.")
    error: str = Field(
        description="Why its latest poll failed: unreachable, throttled, refused, unreadable or internal. "
        "Empty when it succeeded."
    )


class Answer(Model):
    """What every answer says of its data."""

    as_of: datetime | None = Field(
        description="The data are as of then, or later: the oldest of the sources. Null when one never succeeded."
    )
    age_seconds: float | None = Field(description="Seconds since then.")
    stale: bool = Field(description="True when one of the sources is stale, or the store cannot be read.")
    demo: bool = Field(description="True when the data come from a simulated workspace.")
    sources: list[Source] = Field(description="What the answer rests on.")


class Page(Answer):
    """A part of a list."""

    limit: int = Field(description="The most items that this answer may have.")
    next_cursor: str | None = Field(description="Ask with it as `cursor` for the next part; null at the end.")


class Problem(Model):
    """Something wrong with one parameter."""

    parameter: str = Field(description="Its name.")
    problem: str = Field(description="What is wrong.")
    allowed: str = Field(description="What is allowed.")


class Refusal(Model):
    """Why there is no other answer."""

    detail: str = Field(description="In one sentence.")
    problems: list[Problem] = Field(default=[], description="Parameter by parameter, when they are wrong.")
