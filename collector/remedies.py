"""What mends what a check finds: the setting, named as one writes it, or the command that gives a right. Words only."""

import json
import shlex
from collections.abc import Collection, Iterator

from collector.config import WorkspaceSettings
from collector.sources.grants import statement, together
from collector.sources.inspection import Principal
from collector.sources.probe import Trial
from collector.sources.source import Ungranted


def address(workspace: WorkspaceSettings) -> str:
    """Where the workspace is said to be."""
    if workspace.host:
        return _setting(workspace, "host", f'"{workspace.host}" has to be the address of the workspace')
    if workspace.profile:
        return _setting(workspace, "profile", f'the host of profile "{workspace.profile}"')
    return "DATABRICKS_HOST, or the profile that the Databricks SDK finds: the address of the workspace"


def credentials(workspace: WorkspaceSettings) -> str:
    """What is signed in with."""
    if workspace.token:
        return _setting(workspace, "token_env or token_file", "a token that the workspace accepts")
    if workspace.client_id:
        return _setting(
            workspace,
            "client_id, and client_secret_env or client_secret_file",
            "a service principal of the workspace, and an OAuth secret of it that has not expired",
        )
    if workspace.profile:
        return _setting(workspace, "profile", f'the credentials of profile "{workspace.profile}"')
    return (
        "DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or what else the Databricks SDK "
        "signs in with: credentials that the workspace accepts"
    )


def view_jobs(principal: Principal) -> str:
    """The right to see a job."""
    return (
        f"databricks jobs update-permissions JOB_ID --json {_access(principal, 'CAN_VIEW')}"
        "   # for each job to be watched"
    )


def use_warehouse(workspace: WorkspaceSettings, principal: Principal) -> str:
    """The right to use the warehouse."""
    warehouse_id = shlex.quote(workspace.warehouse_id or "")
    return f"databricks warehouses update-permissions {warehouse_id} --json {_access(principal, 'CAN_USE')}"


def another_warehouse(workspace: WorkspaceSettings) -> str:
    """The id of one that exists."""
    if not workspace.host and not workspace.profile:
        return "DATABRICKS_WAREHOUSE_ID: the id of a SQL warehouse of this workspace"
    return _setting(workspace, "warehouse_id", "the id of a SQL warehouse of this workspace")


def tables(trials: Collection[Trial], workspace: WorkspaceSettings, principal: Principal) -> Iterator[str]:
    """What makes these tables readable: the rights that the warehouse names, else all that a table takes."""
    catalog = workspace.system_catalog
    failed = [trial for trial in trials if isinstance(trial.failure, Ungranted)]
    unnamed = [trial for trial in failed if not trial.right]
    if unnamed and len(unnamed) == len(trials):
        yield _setting(
            workspace, "system_catalog", f'"{catalog}" has to be a catalogue that holds the system tables'
        )
    rights = together((trial.right for trial in failed if trial.right), {trial.subject for trial in trials})
    yield from (statement(right, catalog, principal.name) for right in rights)
    yield from dict.fromkeys(grant for trial in unnamed if not trial.no_catalog for grant in trial.grants)


def query(workspace: WorkspaceSettings) -> str:
    """What a query needs beyond the rights to its tables."""
    catalog = workspace.system_catalog
    if catalog == WorkspaceSettings().system_catalog:
        return "A version of this exporter that fits the tables as they are now"
    return (
        f"The views in catalogue {catalog}: they need the columns of the system tables that they stand in for"
    )


def _setting(workspace: WorkspaceSettings, keys: str, wanted: str) -> str:
    return f'[[workspaces]] "{workspace.name}" {keys}: {wanted}'


def _access(principal: Principal, level: str) -> str:
    """The change of an access control list as the command line of Databricks takes it."""
    key = "service_principal_name" if principal.application else "user_name"
    entry = {key: principal.name, "permission_level": level}
    return shlex.quote(json.dumps({"access_control_list": [entry]}))
