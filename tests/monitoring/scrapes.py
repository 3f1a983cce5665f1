"""A test of rules as if everything in it had been scraped four times as often."""

import re
from typing import Any

OFTEN = 4
TIME = "databricks_exporter_collector_last_success_timestamp_seconds"
"""The one gauge that moves between two scrapes of a minute; all others keep their value until the next."""
TOKEN = re.compile(r"(?P<start>-?[\d.]+)(?:(?P<step>[+-][\d.]+))?(?:x(?P<times>\d+))?")


def scraped_more_often(case: Any) -> Any:
    """The same case with a scrape every 15 seconds instead of every minute."""
    assert case["interval"] == "1m"
    series = [
        {"series": item["series"], "values": _often(item["values"], moving=item["series"].startswith(TIME))}
        for item in case["input_series"]
    ]
    return {**case, "interval": "15s", "input_series": series}


def values(text: str) -> list[str | float]:
    """The samples one by one; `_` for none and `stale` where a series ends."""
    samples: list[str | float] = []
    for token in text.split():
        if token == "stale":
            samples.append(token)
        elif token.startswith("_"):
            samples += ["_"] * int(token[2:] or 1)
        else:
            found = TOKEN.fullmatch(token)
            assert found, token
            start, step = float(found["start"]), float(found["step"] or 0)
            samples += [start + index * step for index in range(int(found["times"] or 0) + 1)]
    return samples


def _often(text: str, *, moving: bool) -> str:
    samples = values(text)
    after = [*samples[1:], "_"]
    return " ".join(
        _quarter(one, next_one, moving=moving) for one, next_one in zip(samples, after, strict=True)
    )


def _quarter(one: str | float, next_one: str | float, *, moving: bool) -> str:
    if isinstance(one, str):
        return f"{one} _x{OFTEN - 1}"
    rise = next_one - one if moving and not isinstance(next_one, str) else 0.0
    return f"{one:f}{rise / OFTEN:+f}x{OFTEN - 1}"
