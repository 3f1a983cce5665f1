"""How numbers, lengths of time, instants and money are written on the pages."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
SIGNS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}
COARSE = timedelta(minutes=10)
SMALLEST = Decimal("0.005")
"""What is less would be rounded to nothing."""


def span(length: timedelta) -> str:
    """A length of time in its two largest units, such as `2 h 5 min`; less than a second is `0 s`."""
    rest = max(0, int(length.total_seconds()))
    parts = []
    for unit, size in UNITS:
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def rough(length: timedelta) -> str:
    """A length of time of which nobody counts the seconds: from ten minutes on they are left out."""
    return span(length if length < COARSE else timedelta(minutes=length // timedelta(minutes=1)))


def ago(then: datetime | None, now: datetime) -> str:
    """How long ago something was; `never` for what never was."""
    return f"{rough(now - then)} ago" if then else "never"


def machine(instant: datetime) -> str:
    """The instant for a `time` element: ISO 8601 in UTC, to the second."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(instant: datetime) -> str:
    """The instant in full, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def short(instant: datetime, now: datetime) -> str:
    """The instant as short as it is clear: a time on the same day, a day and a time within the year."""
    then, today = instant.astimezone(UTC), now.astimezone(UTC)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.year == today.year:
        return f"{then.day} {then:%b %H:%M}"
    return f"{then.day} {then:%b %Y}"


def day(instant: datetime) -> str:
    """The day of the instant, in UTC."""
    then = instant.astimezone(UTC)
    return f"{then.day} {then:%B %Y}"


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def many(number: int, one: str, several: str = "") -> str:
    """A number of things, such as `1 job` and `2 jobs`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def dbus(amount: Decimal) -> str:
    """DBUs with as many decimals as their size calls for."""
    if abs(amount) >= 100 or amount == amount.to_integral_value():
        return f"{amount:,.0f}"
    return f"{amount:,.1f}" if abs(amount) >= 10 else _fine(amount)


def money(amount: Decimal, currency: str) -> str:
    """An amount of a currency, to the hundredth below a thousand."""
    sign = SIGNS.get(currency, f"{currency} ")
    size = f"{abs(amount):,.0f}" if abs(amount) >= 1000 else _fine(abs(amount))
    return f"{'−' if amount < 0 else ''}{sign}{size}"


def sums(costs: Iterable[tuple[str, Decimal]]) -> str:
    """Amounts of several currencies, which cannot be added; empty when there are none."""
    return " + ".join(money(amount, currency) for currency, amount in costs)


def ratio(part: float) -> str:
    """A ratio in percent."""
    return f"{part:,.0%}"


def phrase(word: str) -> str:
    """A word of the API as people read it: `MAX_CONCURRENT_RUNS_REACHED` is `max concurrent runs reached`."""
    return word.replace("_", " ").lower()


def _fine(amount: Decimal) -> str:
    return "< 0.01" if 0 < amount < SMALLEST else f"{amount:,.2f}"
