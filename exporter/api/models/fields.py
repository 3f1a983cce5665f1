"""Fields that several answers have, each with one meaning."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

Workspace = Annotated[str, Field(description="Name of the workspace in the configuration.")]
RunId = Annotated[str, Field(description="Id of the run; unique within its workspace.")]
JobId = Annotated[
    str, Field(description="Id of the job; unique within its workspace. One-time runs have one each.")
]
RunName = Annotated[str, Field(description="Name of the run, mostly that of its job; free text.")]
State = Annotated[
    str,
    Field(
        description="QUEUED, PENDING, BLOCKED, RUNNING, WAITING, TERMINATING or TERMINATED; new words as they come."
    ),
]
Result = Annotated[
    str | None, Field(description="SUCCESS, FAILED, TIMEDOUT, CANCELED, …; null until an attempt has ended.")
]
Started = Annotated[
    datetime, Field(description="When the run was accepted, before queueing and cluster start.")
]
Ended = Annotated[
    datetime | None, Field(description="When it ended; null while active, and when nobody saw how it ended.")
]
PageUrl = Annotated[
    str | None, Field(description="The run in Databricks; null when Databricks did not tell.")
]
Code = Annotated[str, Field(description="`termination_details.code`; empty until it has ended.")]
Type = Annotated[
    str, Field(description="`termination_details.type`: who is to blame; empty until it has ended.")
]
Message = Annotated[str, Field(description="Why it ended, for people; free text, may be cut.")]
Team = Annotated[str | None, Field(description="Who answers for the job, by tag or configuration.")]
Attempts = Annotated[
    int, Field(description="Finished attempts: the original pass and every repair. What the metrics count.")
]
