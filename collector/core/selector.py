"""What picks jobs in the configuration: `tag:key`, `tag:key=value`, or a regular expression for the whole name."""

import re
from collections.abc import Iterable, Mapping

TAG = "tag:"


def selects(selector: str, name: str, tags: Mapping[str, str]) -> bool:
    """True for a job whose tag is as the selector says, or whose whole name the expression matches."""
    if not selector.startswith(TAG):
        return re.fullmatch(selector, name) is not None
    key, equals, value = selector.removeprefix(TAG).partition("=")
    return key in tags and (not equals or tags[key] == value)


def any_selects(selectors: Iterable[str], name: str, tags: Mapping[str, str]) -> bool:
    """True for a job that at least one of the selectors picks."""
    return any(selects(selector, name, tags) for selector in selectors)
