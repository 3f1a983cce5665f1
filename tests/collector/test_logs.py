"""Log lines: one line per event that machines can read, and no secret in any of them."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest

from collector.logs import NOISY_LOGGERS, configure, event, redact

logger = logging.getLogger("collector.example")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Puts the process-wide logging back."""
    names = (None, *NOISY_LOGGERS)
    handlers = logging.getLogger().handlers[:]
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    configure("logfmt", "info")
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def without_time(stream: StringIO) -> str:
    """The text of all lines after `ts=…`."""
    return "\n".join(line.partition(" ")[2] for line in stream.getvalue().splitlines())


def test_logfmt_has_facts_beside_the_message() -> None:
    """A line is `ts level logger msg` and the facts, quoted where a reader needs it."""
    stream = StringIO()
    configure("logfmt", "info", stream=stream)

    event(
        logger, logging.INFO, "poll", workspace="prod", seconds=0.25, seen=3, ok=True, none=None, text="a b"
    )

    assert (
        'level=info logger=collector.example msg="poll" workspace=prod seconds=0.25 seen=3 ok=true none=null '
        'text="a b"'
    ) == without_time(stream)


def test_time_is_utc_with_milliseconds() -> None:
    """The first field is the instant in UTC as RFC 3339 writes it."""
    stream = StringIO()
    configure("logfmt", "info", stream=stream)
    record = logger.makeRecord(logger.name, logging.INFO, "", 0, "poll", (), None)
    record.created = 1767323045.678

    logger.handle(record)

    assert 'ts=2026-01-02T03:04:05.678Z level=info logger=collector.example msg="poll"\n' == stream.getvalue()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('say "x"', r'"say \"x\""'),
        ("two\nlines", r'"two\nlines"'),
        ("a=b", '"a=b"'),
        ("back\\slash", r'"back\\slash"'),
        ("", '""'),
        ("\x1b[31mred", r'"\u001b[31mred"'),
        ("next\x85line\u2028end\x7f", r'"next\u0085line\u2028end\u007f"'),
        ("\U000e0001", r'"\udb40\udc01"'),
        ("Zürich", "Zürich"),
    ],
)
def test_logfmt_escapes_what_would_break_a_line(value: str, written: str) -> None:
    """Whatever a value holds, the event stays on one line and no terminal obeys it."""
    stream = StringIO()
    configure("logfmt", "info", stream=stream)

    event(logger, logging.INFO, "x", value=value)

    assert f'level=info logger=collector.example msg="x" value={written}' == without_time(stream)


def test_json_lines_can_be_parsed() -> None:
    """The same facts as one JSON object per line; what JSON has no type for becomes text."""
    stream = StringIO()
    configure("json", "info", stream=stream)

    event(logger, logging.WARNING, 'say "x"\n', path=Path("a"), seen=3, odd=float("nan"), sign="\x85")

    (line,) = stream.getvalue().splitlines()
    facts = json.loads(line)
    assert datetime.fromisoformat(facts.pop("ts")).tzinfo
    assert {
        "level": "warning",
        "logger": "collector.example",
        "msg": 'say "x"\n',
        "path": "a",
        "seen": 3,
        "odd": "nan",
        "sign": "\x85",
    } == facts


def test_facts_do_not_replace_the_line_s_own_fields() -> None:
    """A fact named like a field of every line keeps its value under another name."""
    stream = StringIO()
    configure("logfmt", "info", stream=stream)

    event(logger, logging.INFO, "x", level="deep", message="text", name="prod")

    assert 'level=info logger=collector.example msg="x" level_=deep message=text name=prod' == without_time(
        stream
    )


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_exception_stays_on_one_line(form: str) -> None:
    """A traceback is one field of the line that reports it."""
    stream = StringIO()
    configure(form, "info", stream=stream)

    try:
        raise LookupError("no such run")  # noqa: TRY301 – the test needs a traceback
    except LookupError:
        logger.exception("a poll failed")

    (line,) = stream.getvalue().splitlines()
    assert r"Traceback (most recent call last):\n  File" in line
    assert line.endswith((r'\nLookupError: no such run"', r'\nLookupError: no such run"}'))


def test_stack_is_a_field() -> None:
    """A stack that somebody asks for stays on the line, too."""
    stream = StringIO()
    configure("logfmt", "info", stream=stream)

    logger.info("here", stack_info=True)

    (line,) = stream.getvalue().splitlines()
    assert r' stack="Stack (most recent call last):\n  File' in line


def test_level_is_a_threshold() -> None:
    """What is less important than the level is not written."""
    stream = StringIO()
    configure("logfmt", "warning", stream=stream)

    logger.info("quiet")
    logger.warning("loud")

    assert 'level=warning logger=collector.example msg="loud"' == without_time(stream)


@pytest.mark.parametrize("library", ["databricks.sdk", "apscheduler.scheduler", "urllib3.util.retry"])
def test_libraries_speak_from_warning_on(library: str) -> None:
    """Also at level debug, because libraries write whole answers there."""
    stream = StringIO()
    configure("logfmt", "debug", stream=stream)

    logging.getLogger(library).info("answer")
    logging.getLogger(library).warning("trouble")

    assert f'level=warning logger={library} msg="trouble"' == without_time(stream)


def test_configuring_again_replaces() -> None:
    """The second configuration is the one that counts; no line is written twice."""
    first, second = StringIO(), StringIO()
    configure("logfmt", "info", stream=first)
    configure("logfmt", "info", stream=second)

    logger.info("once")

    assert not first.getvalue()
    assert 'level=info logger=collector.example msg="once"' == without_time(second)


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: ***"),
        ("authorization: Basic dXNlcjpwYXNz\nHost: x", "authorization: ***\nHost: x"),
        ("{'Authorization': 'Bearer abc', 'Host': 'x'}", "{'Authorization': '***', 'Host': 'x'}"),
        ('{"Authorization": "Digest username=me, uri=/"}', '{"Authorization": "***"}'),
        ("sent Bearer abc123== to x", "sent Bearer *** to x"),
        ("the bearer token is missing", "the bearer token is missing"),
        ("bearer token-1", "bearer ***"),
        ("postgresql+psycopg://me:pass@db:5432/x", "postgresql+psycopg://me:***@db:5432/x"),
        ("postgresql://me:p@ss@db/x", "postgresql://me:***@db/x"),
        ("redis://:pass@db", "redis://:***@db"),
        ("https://host:443/path?mail=a@b", "https://host:443/path?mail=a@b"),
        ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
        ("host=db password=pass dbname=x", "host=db password=*** dbname=x"),
        ("{'client_secret': 'pass word', 'a': 1}", "{'client_secret': ***, 'a': 1}"),
        ("/token?access_token=abc&a=1", "/token?access_token=***&a=1"),
        (f"token dapi{'0123456789abcdef' * 2}-2 refused", "token *** refused"),
        (f"secret dose{'0123456789abcdef' * 2}", "secret ***"),
        (f"got {JWT}!", "got ***!"),
        ("page_token=abc run 123 of job etl", "page_token=abc run 123 of job etl"),
    ],
)
def test_credentials_are_masked_by_their_look(text: str, masked: str) -> None:
    """Tokens, authorization headers and passwords never get out, configured or not; harmless text stays."""
    assert masked == redact(text)


def test_masking_twice_changes_nothing() -> None:
    """What is stored masked can be logged again."""
    text = "Authorization: Bearer x, postgresql://me:pass@db, password=abc, Bearer abc"

    once = redact(text)

    assert once == redact(once)


def test_configured_secrets_are_masked() -> None:
    """A secret is found wherever it stands, also as part of a URL, and the longer before the shorter."""
    configure("logfmt", "info", [lambda: "hush", lambda: "hush/hush", lambda: ""], stream=StringIO())

    assert redact("a hush/hush b=hush%2Fhush, xhushx") == "a *** b=***, x***x"


def test_rotated_secrets_are_masked_old_and_new() -> None:
    """Both values of a rotated secret are known, and also when it cannot be read for a moment."""
    values = iter(["first-secret", "second-secret"])

    def read() -> str:
        try:
            return next(values)
        except StopIteration:
            raise ValueError("gone") from None

    configure("logfmt", "info", [read], stream=StringIO())
    seen = [redact("first-secret second-secret") for _ in range(3)]

    assert ["*** second-secret", "*** ***", "*** ***"] == seen


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_no_line_holds_a_secret(form: str) -> None:
    """Message, arguments, facts, exception and a wrong format of somebody else are all masked."""
    stream = StringIO()
    configure(form, "info", [lambda: 'hush"hush'], stream=stream)

    logger.info('with hush"hush')
    logger.info("with %s", {"a": 'hush"hush'})
    event(logger, logging.INFO, "x", plain='hush"hush', inside=['hush"hush'])
    logger.info("wrong %d", 'hush"hush')
    try:
        raise ValueError('hush"hush')  # noqa: TRY301 – the test needs a traceback
    except ValueError:
        logger.exception("failed")

    written = stream.getvalue()
    assert len(written.splitlines()) == 5
    assert written.count("***") >= 6
    assert "hush" not in written
