-- Purpose:    Runs of which an attempt (the original pass or a repair) ended in the window: one row for each of their
--             finished attempts, those of earlier and later windows included, so that every run is whole.
-- Tables:     system.lakeflow.job_run_timeline
-- Grants:     GRANT USE CATALOG ON CATALOG system TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `<application id or user>`;
-- Freshness:  Rows usually come 5 to 15 minutes after a run ended, some of them hours later.
-- Parameters: :workspace_id  STRING     id of the workspace; the table has those of all workspaces of the region
--             :since         TIMESTAMP  start of the window, with a zone: 2026-11-23 00:00:00Z
--             :until         TIMESTAMP  end of the window, which does not belong to it

WITH ended AS (
  SELECT DISTINCT run_id
  FROM system.lakeflow.job_run_timeline
  WHERE workspace_id = :workspace_id
    AND result_state IS NOT NULL
    AND period_end_time >= CAST(:since AS TIMESTAMP)
    AND period_end_time < CAST(:until AS TIMESTAMP)
),
-- A run has a row for each hour, and only the last row of an attempt has a result: the row after it begins the next
-- attempt. So does a row after a gap of a minute, where the result of what came before has not arrived yet.
hours AS (
  SELECT
    h.run_id,
    h.job_id,
    h.run_type,
    h.run_name,
    h.trigger_type,
    h.result_state,
    h.termination_code,
    h.termination_type,
    UNIX_MILLIS(h.period_start_time) AS start_ms,
    UNIX_MILLIS(h.period_end_time) AS end_ms,
    CASE
      WHEN LAG(h.result_state) OVER (PARTITION BY h.run_id ORDER BY h.period_end_time, h.period_start_time) IS NOT NULL
        THEN 1
      WHEN UNIX_MILLIS(h.period_start_time) - 60000
        > LAG(UNIX_MILLIS(h.period_end_time)) OVER (PARTITION BY h.run_id ORDER BY h.period_end_time, h.period_start_time)
        THEN 1
      ELSE 0
    END AS begins
  FROM system.lakeflow.job_run_timeline AS h
  INNER JOIN ended AS e ON e.run_id = h.run_id
  WHERE h.workspace_id = :workspace_id
),
numbered AS (
  SELECT
    run_id,
    job_id,
    run_type,
    run_name,
    trigger_type,
    result_state,
    termination_code,
    termination_type,
    start_ms,
    end_ms,
    MIN(start_ms) OVER (PARTITION BY run_id) AS run_start_ms,
    SUM(begins) OVER (
      PARTITION BY run_id ORDER BY end_ms, start_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS attempt
  FROM hours
)
-- What follows the last result is a repair under way.
SELECT
  run_id,
  attempt,
  MAX(job_id) AS job_id,
  MAX(run_type) AS run_type,
  MAX(run_name) AS run_name,
  MAX(trigger_type) AS trigger_type,
  MAX(run_start_ms) AS run_start_ms,
  MIN(start_ms) AS start_ms,
  MAX(end_ms) AS end_ms,
  SUM(end_ms - start_ms) AS duration_ms,
  MAX(result_state) AS result_state,
  MAX(termination_code) AS termination_code,
  MAX(termination_type) AS termination_type
FROM numbered
GROUP BY run_id, attempt
HAVING COUNT(result_state) > 0
ORDER BY run_id, attempt
