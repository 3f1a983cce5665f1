"""Writes `config.toml` from the declarations: `python -m collector.config.template > config.toml`."""

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from collector.config.settings import SECTIONS, AgreementSettings, WorkspaceSettings, settings_of

HEAD = """
# Every setting of databricks-jobs-exporter with its default: as it stands, this file changes nothing.
#
# The environment wins over the file. A variable is named DJE_SECTION_KEY, such as DJE_POLLING_ACTIVE_INTERVAL=10s,
# a list has commas: DJE_JOBS_EXCLUDE='tmp-.*,tag:env=dev', and so have pairs: DJE_BILLING_DISCOUNTS='JOBS=0.2,SQL=0.35'.
# An empty variable counts as unset.
# Durations are numbers with a unit, one of ms, s, m, h, d and w; "1h30m" works too.
# Files are looked for beside this one. Secrets never stand here: name the variable or the file that holds them.
"""

AGREEMENT = """
[[agreements]]
jobs = ["etl_.*", "tag:team=data"]
sla = "30m"
budget_monthly_dbus = 100
team = "data"
"""

WORKSPACES = """
[[workspaces]]
name = "production"
host = "https://adb-1234567890123456.7.azuredatabricks.net"
client_id = "00000000-0000-0000-0000-000000000000"
client_secret_file = "secrets/production-client-secret"

[[workspaces]]
name = "staging"
host = "https://dbc-a1b2c3d4-e5f6.cloud.databricks.com"
token_env = "STAGING_TOKEN"

[[workspaces]]
name = "development"
profile = "DEV"
"""


def template() -> str:
    """The text of `config.toml`."""
    return "\n".join([HEAD.strip(), *_sections(), *_agreements(), *_workspaces()]) + "\n"


def _sections() -> Iterator[str]:
    for name, section in SECTIONS.items():
        yield from ("", "", f"# {section.__doc__}", f"[{name}]")
        for key, setting in settings_of(section):
            yield from ("", *_comment(setting.comment))
            yield f"{key} = {json.dumps(setting.default)}"


def _agreements() -> Iterator[str]:
    yield from _tables(AgreementSettings, f"{AgreementSettings.__doc__} In each of these tables:", AGREEMENT)


def _workspaces() -> Iterator[str]:
    about = (
        f"{WorkspaceSettings.__doc__} Without any of these tables, the environment of the Databricks SDK "
        "(DATABRICKS_HOST, …) is the one workspace. In each:"
    )
    yield from _tables(WorkspaceSettings, about, WORKSPACES)


def _tables(section: Any, about: str, examples: str) -> Iterator[str]:
    """What may stand there any number of times: its settings and examples of it, as comments."""
    yield from ("", "", *_comment(about))
    for key, setting in settings_of(section):
        keys = f"{key}_env or {key}_file" if setting.secret else key
        yield from _comment(f"{keys}: {setting.comment}", indent="    ")
    yield "#"
    yield from (f"# {line}".rstrip() for line in examples.strip().splitlines())


def _comment(text: str, indent: str = "") -> list[str]:
    first = f"# {indent and '  '}"
    return textwrap.wrap(" ".join(text.split()), 110, initial_indent=first, subsequent_indent=f"# {indent}")


if __name__ == "__main__":
    sys.stdout.write(template())
