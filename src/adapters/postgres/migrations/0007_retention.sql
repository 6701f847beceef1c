-- Up Migration

-- Forgets what the projections hold of the current tenant and is older than so many days; what was done stays in
-- history and audit. Alerts go once they were acknowledged.
CREATE FUNCTION forget_projections(days integer) RETURNS TABLE (forgotten_from text, n_rows bigint) LANGUAGE plpgsql AS $$
DECLARE before timestamptz := now() - make_interval(days => days);
BEGIN
  IF days < 1 THEN RAISE EXCEPTION 'days=% must be at least 1', days; END IF;
  DELETE FROM model_training_jobs WHERE started_at < before;
  forgotten_from := 'model_training_jobs'; GET DIAGNOSTICS n_rows = ROW_COUNT; RETURN NEXT;
  DELETE FROM model_feedback WHERE predicted_at < before;
  forgotten_from := 'model_feedback'; GET DIAGNOSTICS n_rows = ROW_COUNT; RETURN NEXT;
  DELETE FROM model_performance WHERE window_end < before;
  forgotten_from := 'model_performance'; GET DIAGNOSTICS n_rows = ROW_COUNT; RETURN NEXT;
  DELETE FROM model_alerts WHERE created_at < before AND acknowledged_at IS NOT NULL;
  forgotten_from := 'model_alerts'; GET DIAGNOSTICS n_rows = ROW_COUNT; RETURN NEXT;
END $$;
CREATE INDEX model_training_jobs_age ON model_training_jobs (tenant_id, started_at);
CREATE INDEX model_feedback_age ON model_feedback (tenant_id, predicted_at);

-- Down Migration

DROP INDEX model_feedback_age;
DROP INDEX model_training_jobs_age;
DROP FUNCTION forget_projections(integer);
