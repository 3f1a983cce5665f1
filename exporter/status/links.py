"""Where a job and a run are found: on a page of their own here, and in Databricks."""

from urllib.parse import quote, urlsplit

from collector.core.snapshot import WorkspaceSnapshot


def job_page(workspace: str, job_id: str) -> str:
    """The job's page, relative to the overview."""
    return f"jobs/{quote(workspace, safe='')}/{quote(job_id, safe='')}"


def run_page(workspace: str, run_id: str) -> str:
    """The run's page, relative to the overview."""
    return f"runs/{quote(workspace, safe='')}/{quote(run_id, safe='')}"


def job_in_databricks(workspace: WorkspaceSnapshot, job_id: str) -> str:
    """The job in Databricks; empty when the workspace's address is none."""
    return web_only(f"{_front(workspace)}#job/{quote(job_id, safe='')}")


def run_in_databricks(workspace: WorkspaceSnapshot, job_id: str, run_id: str, url: str = "") -> str:
    """The run in Databricks, by the address that Databricks gave where there is one."""
    made = f"{_front(workspace)}#job/{quote(job_id, safe='')}/run/{quote(run_id, safe='')}"
    return web_only(url) or web_only(made)


def web_only(url: str) -> str:
    """The address if a browser opens it as a web page, else nothing: a `javascript:` address would be run."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname else ""


def _front(workspace: WorkspaceSnapshot) -> str:
    number = f"?o={quote(workspace.workspace_id, safe='')}" if workspace.workspace_id else ""
    return f"{workspace.host.rstrip('/')}/{number}"
