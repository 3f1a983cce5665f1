-- Purpose:    The finished task runs of some runs. A retry or a repair is a task run of its own.
-- Tables:     system.lakeflow.job_task_run_timeline
-- Grants:     GRANT USE CATALOG ON CATALOG system TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `<application id or user>`;
-- Freshness:  Rows usually come 5 to 15 minutes after a task run ended, some of them hours later.
-- Parameters: :workspace_id  STRING     id of the workspace; the table has those of all workspaces of the region
--             :job_run_ids   STRING     ids of the runs with commas between: 1042,1043

WITH wanted AS (
  SELECT EXPLODE(SPLIT(:job_run_ids, ',')) AS job_run_id
)
-- A task run of several hours has a row for each of them, and a result in the last.
SELECT
  t.job_run_id,
  t.run_id,
  t.task_key,
  t.result_state,
  t.termination_code,
  UNIX_MILLIS(t.period_end_time) AS end_ms
FROM system.lakeflow.job_task_run_timeline AS t
INNER JOIN wanted AS w ON w.job_run_id = t.job_run_id
WHERE t.workspace_id = :workspace_id
  AND t.result_state IS NOT NULL
ORDER BY t.job_run_id, end_ms, t.run_id
