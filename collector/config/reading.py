"""Reads `config.toml` and the environment into `Settings`, and lists everything that is wrong with them at once."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from collector.config import secret
from collector.config.agreements import agreements
from collector.config.hosting import APP_PORT, on_databricks_apps
from collector.config.lakebase import resolved
from collector.config.secret import SecretError
from collector.config.settings import SECTIONS, Setting, Settings, settings_of
from collector.config.values import Mistake, duration_written, password_in, store_url, suggestion, written
from collector.config.workspaces import workspaces

PREFIX = "DJE_"
DEFAULT_FILE = Path("config.toml")
TABLES = ("agreements", "workspaces")
"""What may stand in the file any number of times, in double brackets."""

Key = tuple[str, str]
"""Section and key."""

AT_LEAST: tuple[tuple[Key, int, Key], ...] = (
    (("polling", "stale_after"), 2, ("polling", "active_interval")),
    (("polling", "overlap"), 1, ("polling", "active_interval")),
    (("store", "retention"), 1, ("polling", "lookback")),
    (("store", "retention"), 1, ("polling", "overlap")),
)
"""Durations that need to be at least so many times as long as another."""

SECRETS_OF_THE_SDK = (
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_PASSWORD",
    "ARM_CLIENT_SECRET",
    "GOOGLE_CREDENTIALS",
)
"""Variables that the Databricks SDK reads by itself."""


class ConfigError(Exception):
    """The configuration has mistakes, each as `place: what is wrong; what to change`."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A value that somebody wrote, and where."""

    value: object
    place: str
    folder: Path
    """What a path in the value is relative to."""


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a file (None: `config.toml` if there is one) and of the environment, which wins.

    Raises `ConfigError` with all mistakes. A file that a setting names is relative to the configuration file, or, when
    a variable names it, to the working directory.
    """
    file = path or DEFAULT_FILE
    document = _document(file) if path or file.is_file() else {}
    mistakes: list[str] = []
    in_document = dict(_from_document(document, file, mistakes))
    given = _merged(in_document, dict(_from_environment(environ, mistakes)))
    sections = _parsed(given, mistakes)
    sections["store"] |= _store_here(sections["store"], given, file, environ, mistakes)
    built = {name: SECTIONS[name](**values) for name, values in sections.items()}
    wrong = {(section, name) for section, name in given if name not in sections[section]}
    places = {key: given[key].place if key in given else _place(file, key) for key in _all_settings()}
    mistakes += _contradictions(built, places, wrong)
    settings = Settings(
        **built,
        agreements=agreements(document.get("agreements", []), file, mistakes),
        workspaces=workspaces(document.get("workspaces", []), file, environ, mistakes),
        on_databricks_apps=on_databricks_apps(environ),
    )
    if mistakes:
        raise ConfigError(mistakes)
    return replace(settings, secrets=tuple(_secrets(settings, environ)))


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{file}: there is no such file; name one that exists"]) from None
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read ({error.strerror}); make it readable"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{file}: is not text in UTF-8; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).removesuffix(")").partition(" (at ")
        raise ConfigError([f"{file}: {where or 'somewhere'}: {what}; correct the TOML there"]) from None


def _from_document(
    document: Mapping[str, Any], file: Path, mistakes: list[str]
) -> Iterator[tuple[Key, _Given]]:
    for section, table in document.items():
        if section in TABLES:
            continue
        if section not in SECTIONS or not isinstance(table, dict):
            mistakes.append(f"{file}: {_no_section(section, table)}")
            continue
        known = dict(settings_of(SECTIONS[section]))
        for name, value in table.items():
            key = section, name
            if name in known:
                yield key, _Given(value=value, place=_place(file, key), folder=file.parent)
            else:
                hint = suggestion(name, known, otherwise=f"the settings are {', '.join(known)}")
                mistakes.append(f"{_place(file, key)}: unknown setting; {hint}")


def _no_section(name: str, value: object) -> str:
    """Why something at the top of the file is no section that we know."""
    if name in SECTIONS:
        return f"{name}: is not a section; write [{name}] in single brackets and its settings below"
    if not isinstance(value, dict | list):
        homes = [section for section, name_of in _all_settings() if name_of == name]
        return f"{name}: stands in no section; " + (f"move it below [{homes[0]}]" if homes else "remove it")
    sections = [*(f"[{section}]" for section in SECTIONS), *(f"[[{table}]]" for table in TABLES)]
    hint = suggestion(f"[{name}]", sections, otherwise=f"the sections are {', '.join(sections)}")
    return f"[{name}]: unknown section; {hint}"


def _from_environment(environ: Mapping[str, str], mistakes: list[str]) -> Iterator[tuple[Key, _Given]]:
    """The variables that are ours. An empty one counts as unset, because compose files pass on what is unset so."""
    known = {f"{PREFIX}{section}_{name}".upper(): (section, name) for section, name in _all_settings()}
    if port := environ.get(APP_PORT):
        yield ("server", "listen"), _Given(value=f":{port}", place=APP_PORT, folder=Path())
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or not text.strip():
            continue
        if variable in known:
            section, name = known[variable]
            value = _as_in_the_file(text.strip(), dict(settings_of(SECTIONS[section]))[name])
            yield (section, name), _Given(value=value, place=variable, folder=Path())
        else:
            hint = suggestion(
                variable, known, otherwise="the variables are DJE_SECTION_KEY, as in config.toml"
            )
            mistakes.append(f"{variable}: unknown variable; {hint}")


def _as_in_the_file(text: str, setting: Setting) -> object:
    """The text of a variable as the value that would stand in the file; as it is when it cannot be one."""
    match setting.default:
        case list():
            return [item.strip() for item in text.split(",") if item.strip()]
        case dict():
            return dict(_pair(item) for item in text.split(",") if item.strip())
        case bool():
            return {"true": True, "false": False}.get(text.lower(), text)
        case int() | float() as number:
            return _number(text, type(number))
        case _:
            return text


def _pair(text: str) -> tuple[str, object]:
    """What stands before and behind the equals sign."""
    name, _, value = text.partition("=")
    return name.strip(), _number(value.strip(), float)


def _number(text: str, kind: type[int] | type[float]) -> object:
    """The number of a text; the text when it is none."""
    try:
        return kind(text)
    except ValueError:
        return text


def _merged(document: dict[Key, _Given], environment: dict[Key, _Given]) -> dict[Key, _Given]:
    """The environment over the document; a variable for the store's URL replaces both ways to give it in the file."""
    urls = {("store", "url"), ("store", "url_file")}
    if environment.keys() & urls:
        document = {key: given for key, given in document.items() if key not in urls}
    return document | environment


def _parsed(given: Mapping[Key, _Given], mistakes: list[str]) -> dict[str, dict[str, Any]]:
    """Values by section and key; wrong ones are left out."""
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    urls: dict[str, str] = {}
    for (section, name), each in given.items():
        setting = dict(settings_of(SECTIONS[section]))[name]
        try:
            value = setting.parse(each.value)
            if isinstance(value, Path):
                value = _existing(each.folder / value)
                urls |= {"url": _url_in(value)} if name == "url_file" else {}
            sections[section][name] = value
        except Mistake as mistake:
            mistakes.append(f"{each.place}: {mistake}")
    sections["store"] |= urls
    return sections


def _store_here(
    store: Mapping[str, Any],
    given: Mapping[Key, _Given],
    file: Path,
    environ: Mapping[str, str],
    mistakes: list[str],
) -> dict[str, Any]:
    """What the store's URL stands for where the process runs; nothing when the URL is wrong by itself."""
    keys = [key for key in (("store", "url"), ("store", "url_file")) if key in given]
    if keys and "url" not in store:
        return {}
    try:
        return resolved(store.get("url", SECTIONS["store"]().url), environ)
    except Mistake as mistake:
        place = given[keys[0]].place if keys else _place(file, ("store", "url"))
        mistakes.append(f"{place}: {mistake}")
        return {}


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise Mistake(f"there is no file {file}; name one that exists")
    return file


def _url_in(file: Path) -> str:
    try:
        return store_url(secret.from_file(file).reveal())
    except SecretError as error:
        raise Mistake(f"{error}; put the URL there, or name another file") from None


def _contradictions(sections: Mapping[str, Any], places: Mapping[Key, str], wrong: set[Key]) -> Iterator[str]:
    """Durations that are too short beside another, unless one of the two is wrong by itself."""
    for short, factor, other in AT_LEAST:
        if wrong & {short, other}:
            continue
        value, least = (getattr(sections[section], name) for section, name in (short, other))
        if value < factor * least:
            compared = f"{factor} × {other[1]}" if factor > 1 else other[1]
            yield (
                f"{places[short]}: {written(duration_written(value))} is shorter than {compared}; "
                f"write at least {written(duration_written(factor * least))}"
            )


def _secrets(settings: Settings, environ: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    """Readers of everything that must not be shown, also of what only the SDK reads."""
    for workspace in settings.workspaces:
        yield from (each.reveal for each in (workspace.token, workspace.client_secret) if each)
    yield lambda: password_in(settings.store.url)
    yield from (
        secret.from_environment(name, environ).reveal for name in SECRETS_OF_THE_SDK if environ.get(name)
    )


def _place(file: Path, key: Key) -> str:
    section, name = key
    return f"{file}: [{section}] {name}"


def _all_settings() -> list[Key]:
    return [(section, name) for section, kind in SECTIONS.items() for name, _ in settings_of(kind)]
