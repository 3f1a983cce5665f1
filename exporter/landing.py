"""The page for people at `/`: what is collected, how old it is, and what went wrong last. One file, no outside assets."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from string import Template

from collector.core.snapshot import CollectorState
from exporter.options import ExporterOptions
from exporter.view import View, WorkspaceView


class Landing:
    """The page's template and style, read once."""

    def __init__(self, documentation: str) -> None:
        here = Path(__file__).parent
        self._template = Template((here / "landing.html").read_text(encoding="utf-8"))
        self._style = (here / "landing.css").read_text(encoding="utf-8")
        link = f'<a href="{escape(documentation)}">Documentation</a>'
        self._documentation = link if documentation else ""

    @property
    def policy(self) -> str:
        """The content security policy: this page's own style and nothing else."""
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        return (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )

    def page(self, view: View | None, options: ExporterOptions, now: datetime) -> str:
        """The page at `now`; without a view it says that nothing is loaded yet."""
        return self._template.substitute(
            style=self._style,
            version=escape(options.version),
            banner="\n".join(_notes(view, options)),
            documentation=self._documentation,
            workspaces="\n".join(_sections(view, now)),
            now=f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        )


def _notes(view: View | None, options: ExporterOptions) -> Iterable[str]:
    if options.demo:
        yield _note("Demo: these numbers come from a simulated workspace.")
    if view is None:
        yield _note("Nothing is loaded yet: the store has not been read.")
    elif not view.readable:
        yield _note("The store cannot be read at the moment; what is shown may be old.")


def _note(text: str) -> str:
    return f'<p class="note" role="status">{escape(text)}</p>'


def _sections(view: View | None, now: datetime) -> Iterable[str]:
    workspaces = view.workspaces if view else ()
    if view and not workspaces:
        yield "<p>No workspace has been registered yet.</p>"
    for workspace in workspaces:
        yield _section(workspace, now)


def _section(workspace: WorkspaceView, now: datetime) -> str:
    shown = workspace.snapshot
    state = "" if workspace.live else ' <span class="bad">stale</span>'
    return f"""<section>
<h2>{escape(shown.name)}{state}</h2>
<p class="host">{escape(shown.host)}</p>
<div class="table"><table>
<thead><tr>
<th scope="col">Collector</th><th scope="col">State</th><th scope="col">Last success</th>
<th scope="col">Interval</th><th scope="col">Last error</th>
</tr></thead>
<tbody>
{"".join(_row(state, now) for state in shown.collectors) or _NO_POLL}</tbody>
</table></div>
<p>{_numbers(workspace)}</p>
</section>"""


_NO_POLL = '<tr><td colspan="5">No poll has finished yet.</td></tr>\n'


def _row(state: CollectorState, now: datetime) -> str:
    verdict = '<span class="good">up</span>' if state.up else '<span class="bad">down</span>'
    since = f"{span(now - state.last_success)} ago" if state.last_success else "never"
    error = ": ".join(text for text in (state.error, state.message) if text)
    cells = (verdict, escape(since), escape(span(state.interval)), escape(error))
    return f'<tr><th scope="row">{escape(state.collector)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'


def _numbers(workspace: WorkspaceView) -> str:
    active = f"{len(workspace.snapshot.active_runs):,}" if workspace.live else "unknown"
    return f"Jobs: {len(workspace.snapshot.jobs):,}. Active runs: {active}."


def span(length: timedelta) -> str:
    """A length of time in its two largest units, such as `2 h 5 min`; less than a second is `0 s`."""
    rest = max(0, int(length.total_seconds()))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"
