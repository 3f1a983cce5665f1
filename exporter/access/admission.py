"""On what terms clients are admitted: those of the web config file, read again whenever it or one of its files changes."""

import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from collector.config import ConfigError
from collector.logs import event
from exporter.access import tls
from exporter.access.rate import Bucket
from exporter.access.sign_in import Users
from exporter.web_config import POLICIES, WebConfig, parsed

logger = logging.getLogger(__name__)

UNREADABLE = b""
"""Instead of a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The terms for one connection or request. By default everybody is served over plain HTTP."""

    config: WebConfig = field(default_factory=WebConfig)
    context: ssl.SSLContext | None = None
    """None: plain HTTP."""
    users: Users | None = None
    """None: no sign-in."""
    bucket: Bucket | None = None
    """None: no limit."""

    @property
    def sans(self) -> frozenset[str]:
        """The names of which a client's certificate needs one; none: any will do."""
        return frozenset(self.config.tls.client_allowed_sans if self.config.tls else ())


EVERYBODY = Admission()


def everybody() -> Admission:
    """Plain HTTP without sign-in, at any time."""
    return EVERYBODY


def admission_of(file: Path | None) -> Callable[[], Admission]:
    """What tells the admission at each moment: that of the web config file, or everybody's without one.

    Raises `ConfigError` with every mistake in the file and in those that it names.
    """
    return Followed(file).admission if file else everybody


class Followed:
    """A web config file that is followed: each question reads a few small files and compares them.

    What is wrong with them later leaves the admission as it is, and is logged once for each state of the files. So is
    what would take protection away: a file that is just being written looks like one that asks for none.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[Path, bytes] = {}
        self._held = self._read()

    def admission(self) -> Admission:
        """The admission that holds now."""
        if any(_digest(file) != seen for file, seen in self._seen.items()):
            try:
                read = self._read()
                _refuse(f"{self._file}: {each}" for each in weakened(self._held.config, read.config))
            except ConfigError as error:
                message = "the web config file is wrong, what it said before still holds"
                event(logger, logging.ERROR, message, mistakes="; also ".join(error.mistakes))
            else:
                event(logger, logging.INFO, "the web config file is read again", file=str(self._file))
                self._held = read
        return self._held

    def _read(self) -> Admission:
        """The admission as it is written now; raises `ConfigError`."""
        mistakes: list[str] = []
        config = parsed(self._text(), self._file, mistakes)
        if config.tls:
            # before they are used: what changes meanwhile is seen at the next question
            self._seen |= {file: _digest(file) for file in config.tls.files}
        context = tls.context(config.tls, self._file, mistakes) if config.tls else None
        _refuse(mistakes)
        rate = config.rate
        return Admission(
            config=config,
            context=context,
            users=Users(config.users) if config.users else None,
            bucket=Bucket(rate.interval, rate.burst, time.monotonic()) if rate else None,
        )

    def _text(self) -> str:
        self._seen = {self._file: UNREADABLE}
        try:
            content = self._file.read_bytes()
            self._seen = {self._file: sha256(content).digest()}
            return content.decode()
        except OSError as error:
            raise ConfigError(
                [f"{self._file}: cannot be read ({error.strerror}); make it readable"]
            ) from None
        except UnicodeDecodeError:
            raise ConfigError([f"{self._file}: is not text in UTF-8; save it as UTF-8"]) from None


def weakened(before: WebConfig, after: WebConfig) -> Iterator[str]:
    """What only a restart may do."""
    if (before.tls is None) != (after.tls is None):
        yield "tls_server_config: TLS is switched on and off by a restart only; restart, or put it back"
    if before.users and not after.users:
        yield "basic_auth_users: the last user is removed by a restart only; restart, or put one back"
    if before.tls and after.tls:
        if POLICIES.index(before.tls.client_auth_type) > POLICIES.index(after.tls.client_auth_type):
            yield (
                f"tls_server_config client_auth_type: {after.tls.client_auth_type} is laxer than "
                f"{before.tls.client_auth_type}; restart, or put it back"
            )
        if before.tls.client_allowed_sans and not after.tls.client_allowed_sans:
            yield (
                "tls_server_config client_allowed_sans: the last name is removed by a restart only; "
                "restart, or put one back"
            )


def _refuse(mistakes: Iterable[str]) -> None:
    """Raise when there is any mistake."""
    if found := list(mistakes):
        raise ConfigError(found)


def _digest(file: Path) -> bytes:
    """What the file holds, in short."""
    try:
        return sha256(file.read_bytes()).digest()
    except OSError:
        return UNREADABLE
