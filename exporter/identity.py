"""Who is asking, from the headers that the platform's proxy adds on Databricks Apps. Elsewhere anybody can write them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL = "local-dev-user"
NAMES = ("x-forwarded-preferred-username", "x-forwarded-email", "x-forwarded-user")
"""Headers that name the user, the most readable first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user as the platform names him."""

    name: str
    """User name, else e-mail address, else the platform's id; empty when the platform says nothing."""
    email: str = ""


def identity(headers: Mapping[str, str], *, on_databricks_apps: bool) -> Identity:
    """Who is asking: the headers are believed on Databricks Apps only, and there only when each has one value."""
    if not on_databricks_apps:
        return Identity(name=LOCAL)
    values: dict[str, set[str]] = defaultdict(set)
    for name, value in headers.items():
        values[name.lower()].add(value.strip())
    sure = {name: next(iter(given)) for name, given in values.items() if len(given) == 1}
    return Identity(
        name=next((sure[name] for name in NAMES if sure.get(name)), ""),
        email=sure.get("x-forwarded-email", ""),
    )
