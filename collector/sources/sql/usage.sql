-- Purpose:    Net usage by day, job, product, SKU and unit, with the list price that was valid: a row for each price.
--             Only what something was added to lately, and of that all; what is down to 0 is there as well.
-- Tables:     system.billing.usage, system.billing.list_prices
-- Grants:     GRANT USE CATALOG ON CATALOG system TO `<application id or user>`;
--             GRANT USE SCHEMA, SELECT ON SCHEMA system.billing TO `<application id or user>`;
-- Freshness:  Rows usually come within 12 to 48 hours, and corrections of them for days and weeks after.
-- Parameters: :workspace_id    STRING  id of the workspace; the table has those of all workspaces of the account
--             :since_date      DATE    the first day of usage: 2026-11-01
--             :ingested_since  DATE    the first day of arrival of what was added

WITH added AS (
  SELECT DISTINCT
    usage_date,
    COALESCE(usage_metadata.job_id, '') AS job_id,
    COALESCE(billing_origin_product, '') AS product,
    COALESCE(sku_name, '') AS sku_name,
    COALESCE(usage_unit, '') AS usage_unit
  FROM system.billing.usage
  WHERE workspace_id = :workspace_id
    AND usage_date >= CAST(:since_date AS DATE)
    AND ingestion_date >= CAST(:ingested_since AS DATE)
),
-- Corrections are records like others: a retraction has a negative quantity, and a restatement the right one.
used AS (
  SELECT
    usage_date,
    COALESCE(usage_metadata.job_id, '') AS job_id,
    COALESCE(billing_origin_product, '') AS product,
    COALESCE(sku_name, '') AS sku_name,
    COALESCE(usage_unit, '') AS usage_unit,
    cloud,
    usage_end_time,
    usage_quantity
  FROM system.billing.usage
  WHERE workspace_id = :workspace_id
    AND usage_date >= CAST(:since_date AS DATE)
)
SELECT
  u.usage_date,
  u.job_id,
  u.product,
  u.sku_name,
  u.usage_unit,
  p.currency_code,
  p.pricing.effective_list.default AS price,
  SUM(u.usage_quantity) AS quantity,
  MAX(UNIX_MILLIS(u.usage_end_time)) AS newest_ms
FROM used AS u
INNER JOIN added AS a
  ON a.usage_date = u.usage_date
  AND a.job_id = u.job_id
  AND a.product = u.product
  AND a.sku_name = u.sku_name
  AND a.usage_unit = u.usage_unit
-- What has no price remains. It was used when it ended, at the price of then.
LEFT JOIN system.billing.list_prices AS p
  ON p.sku_name = u.sku_name
  AND p.cloud = u.cloud
  AND p.usage_unit = u.usage_unit
  AND p.price_start_time <= u.usage_end_time
  AND (p.price_end_time IS NULL OR p.price_end_time > u.usage_end_time)
GROUP BY
  u.usage_date,
  u.job_id,
  u.product,
  u.sku_name,
  u.usage_unit,
  p.currency_code,
  p.pricing.effective_list.default
ORDER BY u.usage_date, u.job_id, u.product, u.sku_name, u.usage_unit
