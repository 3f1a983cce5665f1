"""A secret that knows where it comes from and tells its value only when asked to reveal it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SecretError(ValueError):
    """A secret cannot be read; the message names its source and never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The place of a value that nothing may show."""

    source: str
    """For people: the environment variable or file, or the value with its password masked."""
    read: Callable[[], str] = field(repr=False, compare=False)

    def reveal(self) -> str:
        """The value as it is now, so that a rotated file works; raises `SecretError`."""
        value = self.read().strip()
        if not value:
            raise SecretError(f"the {self.source} is empty")
        return value

    def __str__(self) -> str:
        return f"<secret: {self.source}>"


def from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    """The secret in an environment variable."""

    def read() -> str:
        if name not in environ:
            raise SecretError(f"the environment variable {name} is not set")
        return environ[name]

    return Secret(source=f"environment variable {name}", read=read)


def from_file(path: Path) -> Secret:
    """The secret that a file holds, without the white space around it."""

    def read() -> str:
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise SecretError(f"the file {path} cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise SecretError(f"the file {path} is not text in UTF-8") from None

    return Secret(source=f"file {path}", read=read)
