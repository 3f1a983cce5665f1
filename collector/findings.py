"""What a check found out about a workspace. Values only; how it was found out and how it is shown is not known here."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from collector.core.estimate import Requests
from collector.logs import redact


class Outcome(StrEnum):
    """How it stands with one thing that is needed."""

    OK = "ok"
    MISSING = "missing"
    """A right or a setting."""
    FAILED = "failed"
    """It could not be found out."""
    OFF = "off"
    """Not configured, and not needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was tried."""

    subject: str
    outcome: Outcome
    told: str
    """For people, without secrets."""
    remedies: tuple[str, ...] = ()
    """Statements, commands and settings that mend it, each a line; tables that fail share theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How one workspace stands."""

    workspace: str
    findings: tuple[Finding, ...]
    requests: Requests | None = None
    """None when too little is known."""
    auto_stop: timedelta | None = None
    """Of the warehouse; None without one."""

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return all(finding.outcome in {Outcome.OK, Outcome.OFF} for finding in self.findings)


def ok(subject: str, told: str) -> Finding:
    """It works."""
    return Finding(subject=subject, outcome=Outcome.OK, told=redact(told))


def missing(subject: str, told: object, *remedies: str) -> Finding:
    """A right or a setting is missing."""
    return Finding(subject=subject, outcome=Outcome.MISSING, told=redact(str(told)), remedies=remedies)


def failed(subject: str, told: object, *remedies: str) -> Finding:
    """It could not be found out."""
    return Finding(subject=subject, outcome=Outcome.FAILED, told=redact(str(told)), remedies=remedies)
