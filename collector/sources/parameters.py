"""The parameters that a run was given. Values under names that look secret are masked here and go no further."""

import re
from collections.abc import Callable, Iterable, Iterator

from collector.core.records import MASKED, Parameter
from collector.sources.fields import Json, cleaned, table, tables

SecretNames = Callable[[str], bool]
"""True for the name of a parameter whose value nobody may see."""
NAMED_PARAMETERS = ("notebook_params", "python_named_params", "sql_params")
"""Parts of `overriding_parameters` in which each value has a name. What stands in mere lists is left out: no name tells
whether it is secret.
"""
LONGEST_VALUE = 2000
"""Characters of a value that are kept."""


def every_name(_name: str) -> bool:
    """Every value is a secret, as long as nobody says which are."""
    return True


EVERY_NAME: SecretNames = every_name


def secret_names(patterns: Iterable[str]) -> SecretNames:
    """Names in which one of the regular expressions is found, capital or small."""
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    return lambda name: any(pattern.search(name) for pattern in compiled)


def parameters(item: Json, secret: SecretNames) -> tuple[Parameter, ...]:
    """The job parameters of a run, and what else it was given by name."""
    found = {parameter.name: parameter for parameter in _of_job(item, secret)}
    found |= {
        parameter.name: parameter for parameter in _overriding(item, secret) if parameter.name not in found
    }
    return tuple(found.values())


def cut(value: str, most: int = LONGEST_VALUE) -> str:
    """At most so many characters, with a sign that there were more."""
    return value if len(value) <= most else f"{value[: most - 1]}…"


def _of_job(item: Json, secret: SecretNames) -> Iterator[Parameter]:
    for given in tables(item, "job_parameters"):
        name, default = _shown(given.get("name")), given.get("default")
        yield _parameter(name, given.get("value", default), default, secret)


def _overriding(item: Json, secret: SecretNames) -> Iterator[Parameter]:
    given = table(item, "overriding_parameters")
    for kind in NAMED_PARAMETERS:
        for name, value in table(given, kind).items():
            yield _parameter(cleaned(name), value, None, secret)


def _parameter(name: str, value: object, default: object, secret: SecretNames) -> Parameter:
    if secret(name):
        return Parameter(name=cut(name), value=MASKED, default=MASKED if default else "")
    return Parameter(name=cut(name), value=cut(_shown(value)), default=cut(_shown(default)))


def _shown(value: object) -> str:
    return "" if value is None else cleaned(str(value))
