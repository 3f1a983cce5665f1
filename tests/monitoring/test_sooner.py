"""Making the shipped rules faster changes their times, all of them, and nothing else."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.rules import CASES, PROJECT, RULES, content
from tests.monitoring.sooner import DURATION, SHORTEST_SECONDS, WORD, duration, expression, sooner
from tests.programs import program_named

FACTOR = 60
BY_THE_CLOCK = [file for file in CASES if not re.search("cost|history", file.stem)]
"""Budgets go by the calendar, and histories take long."""
OTHER_SETTINGS = [PROJECT / "monitoring" / name for name in ("alertmanager.yml", "prometheus.yml")]


def without_words(given: Any) -> Any:
    """The same without annotations, in which durations are told in words."""
    match given:
        case dict():
            return {
                key: without_words(item) for key, item in given.items() if not key.endswith("annotations")
            }
        case list():
            return [without_words(item) for item in given]
    return given


def expressions(given: Any) -> list[str]:
    """Every expression in a file of rules, but those of thresholds in seconds, which are divided as a whole."""
    rules = [rule for group in given["groups"] for rule in group["rules"]]
    return [rule["expr"] for rule in rules if not rule.get("record", "").endswith("_seconds:threshold")]


def numbers(expr: str) -> list[float]:
    """The bare numbers of an expression."""
    words = [word for word in WORD.findall(expr) if word[0].isdigit()]
    return [float(word) for word in words if not DURATION.fullmatch(word)]


def lengths(given: Any) -> list[str]:
    """The durations in the settings, wherever they stand."""
    match given:
        case dict():
            return [length for item in given.values() for length in lengths(item)]
        case list():
            return [length for item in given for length in lengths(item)]
        case str():
            return [word for word in WORD.findall(given) if DURATION.fullmatch(word)]
    return []


def skeleton(given: Any) -> Any:
    """The same without numbers and durations, and without the division of thresholds."""
    match given:
        case dict():
            return {key: skeleton(item) for key, item in given.items()}
        case list():
            return [skeleton(item) for item in given]
        case str():
            whole = re.sub(r"^\((vector\(.*\))\) / 60$", r"\1", given)
            return WORD.sub(lambda found: "N" if found[0][0].isdigit() else found[0], whole)
    return given


@pytest.mark.full
@pytest.mark.parametrize("file", BY_THE_CLOCK, ids=lambda file: file.stem)
def test_every_case_of_the_rules_holds_when_all_is_sooner(file: Path, tmp_path: Path) -> None:
    """Alerts fire, stay silent and resolve at the same moments of a world that is so many times as fast."""
    (tmp_path / "tests").mkdir()
    for given in (*RULES, file):
        target = tmp_path / given.relative_to(RULES[0].parent)
        faster = without_words(sooner(content(given), FACTOR))
        target.write_text(yaml.safe_dump(faster, width=10**9), encoding="utf-8")

    done = subprocess.run(
        [program_named("promtool"), "test", "rules", str(tmp_path / "tests" / file.name)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_no_number_can_be_mistaken(file: Path) -> None:
    """A number in a rule is either small enough for a count or a share, or large enough for a time, and then of seconds."""
    found = [number for expr in expressions(content(file)) for number in numbers(expr)]

    assert [] == [number for number in found if SHORTEST_SECONDS / 10 <= number < SHORTEST_SECONDS]


@pytest.mark.parametrize("file", [*RULES, *OTHER_SETTINGS], ids=lambda file: file.stem)
def test_every_length_of_time_is_divided(file: Path) -> None:
    """There are as many durations as before, each a sixtieth, and without them and the numbers the file is the same."""
    given = without_words(content(file))

    faster = sooner(given, FACTOR)

    assert [duration(length, FACTOR) for length in lengths(given)] == lengths(faster)
    assert skeleton(given) == skeleton(faster)


def test_an_expression_keeps_what_is_not_a_time() -> None:
    """Names, strings, comments and small numbers stay; windows, offsets and seconds are shortened."""
    expr = 'a:b:increase1d{code="429", w="1d"} > 0.5 * 10  # for 5m\nand increase(x_total[1h30m] offset 15s) > time() - 2 * 86400'

    faster = 'a:b:increase1d{code="429", w="1d"} > 0.5 * 10  # for 5m\nand increase(x_total[90000ms] offset 250ms) > time() - 2 * 1440'
    assert faster == expression(expr, FACTOR)


def test_a_threshold_in_seconds_is_divided_as_a_whole() -> None:
    """However it is written."""
    rule = {"record": "databricks:job_queued_seconds:threshold", "expr": "vector(30 * 60)"}

    assert "(vector(30 * 60)) / 60" == sooner(rule, FACTOR)["expr"]


def test_what_does_not_come_out_even_is_refused() -> None:
    """Rather than rounded."""
    with pytest.raises(ValueError, match="7ms cannot be divided by 60"):
        duration("7ms", FACTOR)
