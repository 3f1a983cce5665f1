"""`databricks-jobs-exporter`: reads the arguments and the configuration, then leaves the work to `commands`."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from collector.config import ConfigError, Settings, load
from collector.logs import configure, redact
from collector.store.engine import StoreError
from databricks_jobs_exporter import commands
from exporter.access.admission import admission_of

PROGRAM = "databricks-jobs-exporter"
FAILED, MISUSED = 1, 2

DESCRIPTION = """\
Prometheus exporter for Databricks jobs. Polls active runs every few seconds, keeps what it saw in a database and
serves it on /metrics. Without a command it runs everything in one process.
"""
EPILOG = """\
Settings come from config.toml, whose comments explain each one, and from DJE_ environment variables. With no
[[workspaces]] in it, DATABRICKS_HOST and the other variables of the Databricks SDK name the workspace.

Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.
"""
CHECKED = """\
Prints what works, what is missing with the setting or the GRANT statement that mends it, and about how many requests
and warehouse minutes the configured intervals cost. Changes nothing, and neither opens nor makes the store; but it
starts the SQL warehouse. Exits with 1 when something is missing.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    command = given.command or "run"
    if command == "version":
        print(f"{PROGRAM} {metadata.version(PROGRAM)}")
        return 0
    before = threading.enumerate()
    code = _outcome(command, given)
    commands.leave(code, besides=before)
    return code


def _outcome(command: str, given: argparse.Namespace) -> int:
    """Run the command; what went wrong is said on standard error."""
    try:
        if command == "demo":
            from databricks_jobs_exporter.demo import demo  # noqa: PLC0415 – nobody else needs the simulated workspace

            return demo(jobs=given.jobs, active_runs=given.active_runs, seed=given.seed, listen=given.listen)
        return commands.COMMANDS[command](_settings(given.config))
    except ConfigError as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)
        return MISUSED
    except (StoreError, OSError) as error:
        print(redact(str(error)), file=sys.stderr)
        return FAILED


def _settings(path: Path | None) -> Settings:
    settings = load(path, os.environ)
    configure(settings.log.format, settings.log.level, settings.secrets)
    # its mistakes are the configuration's: they are told before anything starts
    admission_of(settings.server.web_config_file)
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        # a command's own default must not undo what was given before it
        default=argparse.SUPPRESS,
        help="settings; without it config.toml in the working directory, where there is one",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings (default: config.toml, if present)"
    )
    parser.add_argument(
        "--version", action="store_const", const="version", dest="command", help="print the version"
    )
    several = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary, details in (
        (
            "run",
            "collect and serve in one process (the default)",
            "Stops within seconds of SIGTERM or Ctrl-C.",
        ),
        (
            "collect",
            "poll Databricks and write the store, without serving it",
            "Several collectors may share a store: one polls each workspace, the others stand by.",
        ),
        (
            "serve",
            "serve the store of a collector that runs elsewhere",
            "Opens the store read-only and asks Databricks nothing. Waits for a store that is not there yet.",
        ),
        (
            "once",
            "one round of all polls, then print what was seen",
            "Writes the store as `collect` does. Exits with 1 when a poll failed.",
        ),
        (
            "check",
            "try sign-in, rights and system tables, and say what mends what is missing",
            CHECKED,
        ),
    ):
        several.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {details}", parents=[config]
        )
    shown = several.add_parser(
        "demo",
        help="everything against a simulated workspace, no account needed",
        description="Simulates a Databricks workspace on this machine and runs the exporter against it. The data "
        "are invented, the metrics say so, and the store is thrown away at the end.",
    )
    shown.add_argument("--jobs", type=int, default=60, help="jobs of the simulated workspace (default: 60)")
    shown.add_argument("--active-runs", type=int, default=25, help="runs active on average (default: 25)")
    shown.add_argument("--seed", type=int, default=1, help="another number, another workspace (default: 1)")
    shown.add_argument(
        "--listen",
        default="127.0.0.1:10977",
        metavar="ADDRESS",
        help="where to serve (default: 127.0.0.1:10977)",
    )
    several.add_parser("version", help="print the version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
