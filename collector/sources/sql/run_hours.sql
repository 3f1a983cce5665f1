-- Purpose:    How many attempts of runs ended in each hour: rows never change, so an hour whose number has not changed
--             has nothing new.
-- Tables:     system.lakeflow.job_run_timeline
-- Grants:     GRANT USE CATALOG ON CATALOG system TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `<application id or user>`;
-- Freshness:  Rows usually come 5 to 15 minutes after a run ended, some of them hours later.
-- Parameters: :workspace_id  STRING     id of the workspace; the table has those of all workspaces of the region
--             :since         TIMESTAMP  the first instant, with a zone: 2026-11-23 00:00:00Z

-- Hours since 1970, so that the time zone of the session does not matter.
SELECT
  UNIX_MILLIS(period_end_time) DIV 3600000 AS ended_hour,
  COUNT(*) AS attempts
FROM system.lakeflow.job_run_timeline
WHERE workspace_id = :workspace_id
  AND result_state IS NOT NULL
  AND period_end_time >= CAST(:since AS TIMESTAMP)
GROUP BY UNIX_MILLIS(period_end_time) DIV 3600000
ORDER BY ended_hour
