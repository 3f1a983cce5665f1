-- Purpose:    DBUs that each job has used since it last succeeded, or since the first day where that is later. Jobs
--             with none are left out.
-- Tables:     system.lakeflow.job_run_timeline, system.billing.usage
-- Grants:     GRANT USE CATALOG ON CATALOG system TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.billing TO `<application id or user>`;
-- Freshness:  Usage usually comes within 12 to 48 hours, successes within 15 minutes.
-- Parameters: :workspace_id  STRING  id of the workspace; the tables have those of others too
--             :since_date    DATE    the first day of usage: 2026-11-01

WITH succeeded AS (
  SELECT job_id, MAX(period_end_time) AS success
  FROM system.lakeflow.job_run_timeline
  WHERE workspace_id = :workspace_id
    AND result_state = 'SUCCEEDED'
  GROUP BY job_id
)
SELECT
  u.usage_metadata.job_id AS job_id,
  UNIX_MILLIS(s.success) AS success_ms,
  SUM(u.usage_quantity) AS dbus
FROM system.billing.usage AS u
LEFT JOIN succeeded AS s ON s.job_id = u.usage_metadata.job_id
WHERE u.workspace_id = :workspace_id
  AND u.usage_date >= CAST(:since_date AS DATE)
  AND u.usage_unit = 'DBU'
  AND u.usage_metadata.job_id IS NOT NULL
  AND (s.success IS NULL OR u.usage_start_time >= s.success)
GROUP BY u.usage_metadata.job_id, s.success
HAVING SUM(u.usage_quantity) <> 0
ORDER BY job_id
