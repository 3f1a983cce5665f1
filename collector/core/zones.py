"""Time zones by the names that Java knows, because Databricks takes a schedule's time zone as a Java id."""

import re
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from collector.core.quartz import ScheduleError

JAVA_SHORT_IDS = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}
"""Ids that only Java has, from `java.time.ZoneId.SHORT_IDS`. Some are surprising: BST is Bangladesh."""


@lru_cache(maxsize=1000)
def zone(timezone_id: str) -> tzinfo:
    """The time zone with this Java id: a tz database name, a short id, or `GMT+5:30`. Raises ScheduleError."""
    if custom := re.fullmatch(r"GMT([+-])(\d{1,2})(?::?([0-5]\d))?", timezone_id, re.ASCII):
        sign, hours, minutes = custom.groups()
        if int(hours) <= 23:
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            return timezone(offset if sign == "+" else -offset)
    try:
        return ZoneInfo(JAVA_SHORT_IDS.get(timezone_id, timezone_id))
    # Besides its own KeyError, zoneinfo raises ValueError for paths and OSError for folders such as "Europe".
    except (KeyError, ValueError, OSError) as error:
        raise ScheduleError(f"no time zone is called {timezone_id!r}") from error
