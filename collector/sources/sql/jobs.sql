-- Purpose:    The latest definition of every job that was changed, deleted ones included.
-- Tables:     system.lakeflow.jobs
-- Grants:     GRANT USE CATALOG ON CATALOG system TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `<application id or user>`;
-- Freshness:  Rows usually come 5 to 15 minutes after a change. What was written before December 2025 has neither user
--             names nor triggers.
-- Parameters: :workspace_id  STRING     id of the workspace; the table has those of all workspaces of the region
--             :since         TIMESTAMP  changes from then on, with a zone: 2026-11-23 00:00:00Z

-- Every change is a row: the latest of a job's changes since then is the latest of all. Deleted jobs must not be left
-- out before that is found, or the row before the deletion would stand for them.
SELECT
  j.job_id,
  j.name,
  j.creator_user_name,
  j.run_as_user_name,
  UNIX_MILLIS(j.create_time) AS create_ms,
  UNIX_MILLIS(j.change_time) AS change_ms,
  UNIX_MILLIS(j.delete_time) AS delete_ms,
  TO_JSON(j.tags) AS tags,
  j.trigger_type,
  j.trigger.schedule.quartz_cron_expression AS quartz_cron_expression,
  j.trigger.schedule.timezone_id AS timezone_id,
  j.trigger.periodic.interval AS periodic_interval,
  j.trigger.periodic.units AS periodic_units,
  j.trigger.continuous.enabled AS continuous_enabled,
  j.trigger.file_arrival.url AS file_arrival_url,
  j.trigger.table_update.condition AS table_update_condition,
  j.paused,
  j.timeout_seconds,
  ARRAY_MIN(
    TRANSFORM(
      FILTER(j.health_rules, rule -> rule.metric = 'RUN_DURATION_SECONDS'),
      rule -> rule.value
    )
  ) AS expected_duration_seconds
FROM system.lakeflow.jobs AS j
WHERE j.workspace_id = :workspace_id
  AND j.change_time >= CAST(:since AS TIMESTAMP)
QUALIFY ROW_NUMBER() OVER (PARTITION BY j.job_id ORDER BY j.change_time DESC) = 1
ORDER BY j.job_id
