"""Reads the `[[workspaces]]` tables: where each workspace is and how to sign in, without a secret in the file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from collector.config import secret
from collector.config.secret import Secret, SecretError
from collector.config.settings import WorkspaceSettings, settings_of
from collector.config.values import Mistake, suggestion, text, written
from collector.logs import redact

PLAIN = {name: setting for name, setting in settings_of(WorkspaceSettings) if not setting.secret}
SECRETS = tuple(name for name, setting in settings_of(WorkspaceSettings) if setting.secret)
SECRET_KEYS = {f"{name}_{source}": name for name in SECRETS for source in ("env", "file")}
"""The key that names the source of a secret, and the setting that it fills."""

SOURCES_OF_THE_SDK = (
    "DATABRICKS_HOST",
    "DATABRICKS_CONFIG_PROFILE",
    "DATABRICKS_CONFIG_FILE",
    "DATABRICKS_AZURE_RESOURCE_ID",
)
"""Variables from which the Databricks SDK finds out by itself which workspace is meant."""


STRONGER_THAN_PROFILES = (
    "DATABRICKS_HOST",
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CLIENT_SECRET",
)
"""Variables that the SDK takes even where a profile is named: the profile's token would go to the variable's host."""


def workspaces(
    tables: object, file: Path, environ: Mapping[str, str], mistakes: list[str]
) -> tuple[WorkspaceSettings, ...]:
    """The configured workspaces, or the one of the SDK's environment; what is wrong is added to the mistakes."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.append(
            f"{file}: workspaces: is not a list of tables; write [[workspaces]] in double brackets"
        )
        return ()
    if not tables:
        mistakes += _nowhere(file, environ)
        return (WorkspaceSettings(warehouse_id=environ.get("DATABRICKS_WAREHOUSE_ID") or None),)
    found = tuple(
        _workspace(table, f"{file}: [[workspaces]] {number}", file.parent, environ, mistakes)
        for number, table in enumerate(tables, start=1)
    )
    names = [table.get("name", WorkspaceSettings().name) for table in tables]
    mistakes += (
        f"{file}: [[workspaces]] {number} name: {written(name)} is taken; give each workspace a name of its own"
        for number, name in enumerate(names, start=1)
        if name in names[: number - 1]
    )
    return found


def _nowhere(file: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The mistake of naming no workspace at all."""
    home = environ.get("HOME", "")
    profiles = bool(home) and (Path(home) / ".databrickscfg").is_file()
    if not profiles and not any(environ.get(name) for name in SOURCES_OF_THE_SDK):
        yield (
            f"{file}: [[workspaces]]: no workspace is configured; "
            "add a [[workspaces]] table, or set DATABRICKS_HOST and the credentials of the Databricks SDK"
        )


def _workspace(
    table: Mapping[str, Any], place: str, folder: Path, environ: Mapping[str, str], mistakes: list[str]
) -> WorkspaceSettings:
    """One table; what is wrong in it stays at its default."""
    mistakes += (f"{place}{mistake}" for mistake in _contradictions({key for key in table if table[key]}))
    if table.get("profile"):
        mistakes += (
            f"{place} profile: the environment sets {name}, which the Databricks SDK prefers to a profile; "
            "unset it, or write host and credentials here instead of the profile"
            for name in STRONGER_THAN_PROFILES
            if environ.get(name)
        )
    values: dict[str, Any] = {}
    for key, value in table.items():
        try:
            values |= _value(key, value, folder, environ)
        except Mistake as mistake:
            mistakes.append(f"{place} {key}: {mistake}")
    return WorkspaceSettings(**values)


def _value(key: str, value: object, folder: Path, environ: Mapping[str, str]) -> dict[str, object]:
    """The setting that a key fills, if it fills one; raises `Mistake`."""
    if key in PLAIN:
        return {key: PLAIN[key].parse(value)}
    if key not in SECRET_KEYS:
        raise Mistake(_unknown(key))
    source = text(value)
    return {SECRET_KEYS[key]: _secret(key, source, folder, environ)} if source else {}


def _unknown(key: str) -> str:
    if key in SECRETS:
        return (
            "a secret does not belong in this file; "
            f'say where it is with {key}_env = "VARIABLE" or {key}_file = "PATH"'
        )
    return f"unknown setting; {suggestion(key, [*PLAIN, *SECRET_KEYS], otherwise='remove it')}"


def _secret(key: str, source: str, folder: Path, environ: Mapping[str, str]) -> Secret:
    """The secret, after one look whether it is there."""
    if key.endswith("_env"):
        found, remedy = secret.from_environment(source, environ), "set it, or name another"
    else:
        found = secret.from_file(folder / source)
        remedy = "put the secret there, or name another file"
    try:
        found.reveal()
    except SecretError as error:
        raise Mistake(redact(f"{error}; {remedy}")) from None  # some write the secret where its place belongs
    return found


def _contradictions(keys: set[str]) -> Iterator[str]:
    """What is wrong with these keys together, with the key it is about."""
    has = {name for name in (*PLAIN, *SECRETS) if keys & {name, f"{name}_env", f"{name}_file"}}
    if not has & {"host", "profile"}:
        yield ' host: is missing; write host = "https://…", or the profile to take it from'
    ways = [way for way in ("profile", "token", "client_id") if way in has]
    if len(ways) > 1:
        yield f": {' and '.join(ways)} are different ways to sign in; keep one of them"
    if "client_id" in has and "client_secret" not in has:
        yield " client_id: has no secret; add client_secret_env or client_secret_file"
    if "client_secret" in has and "client_id" not in has:
        yield " client_secret: belongs to no client_id; add client_id"
    for name in SECRETS:
        if {f"{name}_env", f"{name}_file"} <= keys:
            yield f" {name}: is named twice; keep {name}_env or {name}_file"
