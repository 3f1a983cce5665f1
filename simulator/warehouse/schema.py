"""The system tables: every column and its Databricks type, in order, as the reference lists them."""

from collections.abc import Mapping

STRING, TIMESTAMP, BIGINT, BOOLEAN = "string", "timestamp", "bigint", "boolean"
MONEY = "decimal(38,18)"
TAGS = "map<string,string>"
COMPUTE = "array<struct<type:string,cluster_id:string,warehouse_id:string>>"
HEALTH = "array<struct<metric:string,operator:string,value:bigint>>"


def _of(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


def _struct(members: Mapping[str, str]) -> str:
    return f"struct<{','.join(f'{name}:{kind}' for name, kind in members.items())}>"


TRIGGER = _struct(
    {
        "file_arrival": _struct(
            {
                "url": STRING,
                "min_time_between_triggers_seconds": "int",
                "wait_after_last_change_seconds": "int",
            }
        ),
        "periodic": _struct({"interval": "int", "units": STRING}),
        "continuous": _struct({"enabled": BOOLEAN}),
        "table_update": _struct(
            {
                "table_names": "array<string>",
                "min_time_between_triggers_seconds": BIGINT,
                "wait_after_last_change_seconds": BIGINT,
                "condition": STRING,
            }
        ),
        "schedule": _struct({"quartz_cron_expression": STRING, "timezone_id": STRING}),
    }
)
USAGE_METADATA = _struct(
    _of(
        STRING,
        "cluster_id job_id warehouse_id instance_pool_id node_type job_run_id notebook_id dlt_pipeline_id "
        "endpoint_name endpoint_id dlt_update_id dlt_maintenance_id run_name job_name notebook_path "
        "central_clean_room_id source_region destination_region app_id app_name metastore_id "
        "private_endpoint_name storage_api_type budget_policy_id ai_runtime_pool_id ai_runtime_workload_id "
        "uc_table_catalog uc_table_schema uc_table_name database_instance_id sharing_materialization_id "
        "schema_id usage_policy_id base_environment_id agent_bricks_id index_id catalog_id project_id "
        "branch_id table_id supervisor_agent_id networking_client associated_product recipient_id "
        "interactive_source snapshot_id",
    )
    | {
        "ai_gateway": _struct(_of(STRING, "endpoint_name endpoint_id destination_id destination_model")),
        "genie": _struct(_of(STRING, "surface channel agent_id")),
    }
    | _of(STRING, "data_source operation serverless_compute_id entity_full_name failover_group_name")
)
PRODUCT_FEATURES = _struct(
    _of(STRING, "jobs_tier sql_tier dlt_tier")
    | _of(BOOLEAN, "is_serverless is_photon")
    | {
        "serving_type": STRING,
        "networking": _struct({"connectivity_type": STRING}),
        "ai_runtime": _struct({"compute_type": STRING}),
        "model_serving": _struct(_of(STRING, "offering_type reservation_term")),
        "ai_gateway": _struct({"feature_type": STRING}),
        "serverless_gpu": _struct({"workload_type": STRING}),
        "agent_bricks": _struct(_of(STRING, "problem_type workload_type")),
        "performance_target": STRING,
        "ai_functions": _struct({"ai_function": STRING}),
        "apps": _struct({"compute_size": STRING}),
        "lakeflow_connect": _struct(_of(STRING, "task_type zerobus_request_type")),
        "lakebase": _struct(_of(STRING, "storage_type compute_type")),
        "ai_bi_genie": _struct(_of(STRING, "capability_type offering_type")),
        "genie": _struct({"offering_type": STRING}),
    }
)
PRICING = _struct(
    {
        "default": MONEY,
        "promotional": _struct({"default": MONEY}),
        "effective_list": _struct({"default": MONEY}),
    }
)

JOBS = "lakeflow.jobs"
JOB_TASKS = "lakeflow.job_tasks"
RUNS = "lakeflow.job_run_timeline"
TASK_RUNS = "lakeflow.job_task_run_timeline"
USAGE = "billing.usage"
PRICES = "billing.list_prices"
WORKSPACES = "access.workspaces_latest"

TABLES: Mapping[str, Mapping[str, str]] = {
    JOBS: {
        **_of(
            STRING,
            "account_id workspace_id job_id name description creator_id creator_user_name run_as run_as_user_name",
        ),
        "tags": TAGS,
        **_of(TIMESTAMP, "change_time delete_time create_time"),
        "trigger": TRIGGER,
        "trigger_type": STRING,
        "paused": BOOLEAN,
        "timeout_seconds": BIGINT,
        "health_rules": HEALTH,
        "deployment": _struct(_of(STRING, "kind metadata_file_path")),
    },
    JOB_TASKS: {
        **_of(STRING, "account_id workspace_id job_id task_key"),
        "depends_on_keys": "array<string>",
        **_of(TIMESTAMP, "change_time delete_time"),
        "timeout_seconds": BIGINT,
        "health_rules": HEALTH,
    },
    RUNS: {
        **_of(STRING, "account_id workspace_id job_id run_id"),
        **_of(TIMESTAMP, "period_start_time period_end_time"),
        **_of(STRING, "trigger_type run_type run_name"),
        "compute_ids": "array<string>",
        **_of(STRING, "result_state termination_code"),
        "job_parameters": TAGS,
        **_of(STRING, "source_task_run_id root_task_run_id"),
        "compute": COMPUTE,
        "termination_type": STRING,
        **_of(
            BIGINT,
            "setup_duration_seconds queue_duration_seconds run_duration_seconds cleanup_duration_seconds "
            "execution_duration_seconds",
        ),
    },
    TASK_RUNS: {
        **_of(STRING, "account_id workspace_id job_id run_id job_run_id parent_run_id"),
        **_of(TIMESTAMP, "period_start_time period_end_time"),
        "task_key": STRING,
        "compute_ids": "array<string>",
        **_of(STRING, "result_state termination_code"),
        "compute": COMPUTE,
        "termination_type": STRING,
        "task_parameters": TAGS,
        **_of(BIGINT, "setup_duration_seconds cleanup_duration_seconds execution_duration_seconds"),
    },
    USAGE: {
        **_of(STRING, "account_id workspace_id record_id sku_name cloud"),
        **_of(TIMESTAMP, "usage_start_time usage_end_time"),
        "usage_date": "date",
        "custom_tags": TAGS,
        "usage_unit": STRING,
        "usage_quantity": MONEY,
        "usage_metadata": USAGE_METADATA,
        "identity_metadata": _struct(_of(STRING, "run_as created_by owned_by run_by")),
        "record_type": STRING,
        "ingestion_date": "date",
        "billing_origin_product": STRING,
        "product_features": PRODUCT_FEATURES,
        "usage_type": STRING,
    },
    PRICES: {
        "account_id": STRING,
        **_of(TIMESTAMP, "price_start_time price_end_time"),
        **_of(STRING, "sku_name cloud currency_code usage_unit"),
        "pricing": PRICING,
    },
    WORKSPACES: {
        **_of(STRING, "account_id workspace_id workspace_name workspace_url"),
        "create_time": TIMESTAMP,
        "status": STRING,
    },
}
"""`schema.table` → column → type."""

ACCOUNT = "00000000-0000-4000-8000-000000004711"
NEIGHBOUR = "4712"
"""Another workspace of the region: in all tables, with some of the same job and run ids."""
FAR_AWAY = "9001"
"""A workspace of another region: in the billing tables only."""
NEWER_COLUMNS_MS = 1_764_547_200_000
"""2025-12-01: what was written before has NULL in the columns that came later."""
