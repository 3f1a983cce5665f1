"""What mends what a check finds, where the simulated workspace does not lead to it."""

from collector import remedies
from collector.config import WorkspaceSettings
from collector.sources.inspection import Principal
from collector.sources.probe import Trial
from collector.sources.source import Ungranted, Unreadable

PRINCIPAL = Principal(name="11-22", application=True, host="https://example.invalid", workspace_id="1")
BY_PROFILE = WorkspaceSettings(name="one", profile="prod")
BY_ENVIRONMENT = WorkspaceSettings()


def test_a_profile_is_named_where_it_says_host_and_credentials() -> None:
    """With no host of its own, the workspace is as its profile has it."""
    assert '[[workspaces]] "one" profile: the host of profile "prod"' == remedies.address(BY_PROFILE)
    assert '[[workspaces]] "one" profile: the credentials of profile "prod"' == remedies.credentials(
        BY_PROFILE
    )


def test_variables_are_named_where_no_workspace_is_configured() -> None:
    """The single workspace of the environment has no table in the file."""
    assert remedies.address(BY_ENVIRONMENT).startswith("DATABRICKS_HOST")
    assert remedies.credentials(BY_ENVIRONMENT).startswith("DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and")
    assert remedies.another_warehouse(BY_ENVIRONMENT).startswith("DATABRICKS_WAREHOUSE_ID")


def test_a_service_principal_is_given_rights_as_such() -> None:
    """The command names it by its application id, quoted for a shell."""
    expected = (
        "databricks warehouses update-permissions 'a b' --json "
        '\'{"access_control_list": [{"service_principal_name": "11-22", "permission_level": "CAN_USE"}]}\''
    )

    assert expected == remedies.use_warehouse(WorkspaceSettings(warehouse_id="a b"), PRINCIPAL)


def test_a_catalogue_that_does_not_exist_is_the_matter_of_its_setting_alone() -> None:
    """When the warehouse says so, no grant would help."""
    trials = [
        Trial(subject=table, failure=Ungranted("gone"), no_catalog=True, grants=("GRANT ALL;",))
        for table in ("lakeflow.jobs", "billing.usage")
    ]

    mending = tuple(remedies.tables(trials, BY_PROFILE, PRINCIPAL))

    assert 1 == len(mending)
    assert '[[workspaces]] "one" system_catalog' in mending[0]


def test_a_table_that_cannot_be_understood_takes_no_grant() -> None:
    """A broken view is not a missing right."""
    trials = [Trial(subject="lakeflow.jobs", failure=Unreadable("broken"), grants=("GRANT ALL;",))]

    assert () == tuple(remedies.tables(trials, BY_PROFILE, PRINCIPAL))
