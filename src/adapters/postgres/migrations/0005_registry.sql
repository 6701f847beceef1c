-- Up Migration

-- Rises with every change of a row: what If-Match compares with.
ALTER TABLE ml_models
  ADD COLUMN row_version bigint NOT NULL DEFAULT 1,
  ADD COLUMN tags jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN notes text NOT NULL DEFAULT '',
  ADD COLUMN archived_at timestamptz,
  -- A model that was deleted keeps its row: revisions and numbers go on when one of its name is made again.
  ADD COLUMN deleted_at timestamptz;
ALTER TABLE ml_model_versions
  ADD COLUMN row_version bigint NOT NULL DEFAULT 1,
  ADD COLUMN description text NOT NULL DEFAULT '',
  ADD COLUMN notes text NOT NULL DEFAULT '',
  ADD COLUMN tags jsonb NOT NULL DEFAULT '{}',
  -- The version whose bytes these are too: only what is said of them differs.
  ADD COLUMN derived_from text;

CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.updated_at := now(); NEW.row_version := OLD.row_version + 1; RETURN NEW; END $$;

-- One job registers one version; versions derived from it share its bytes.
ALTER TABLE ml_model_versions DROP CONSTRAINT ml_model_versions_tenant_id_job_id_key;
CREATE UNIQUE INDEX ml_model_versions_job ON ml_model_versions (tenant_id, job_id) WHERE derived_from IS NULL;
CREATE INDEX ml_model_versions_build ON ml_model_versions (tenant_id, model_name, build_id);
CREATE INDEX ml_model_versions_sha256 ON ml_model_versions (tenant_id, artifact_sha256);
CREATE INDEX ml_model_versions_stage ON ml_model_versions (tenant_id, model_name, stage, mlflow_version DESC);
CREATE INDEX ml_model_versions_dataset ON ml_model_versions (tenant_id, dataset_id);
CREATE INDEX ml_deployments_time ON ml_deployments (tenant_id, model_name, created_at);
CREATE INDEX ml_audit_subject ON ml_audit (tenant_id, subject text_pattern_ops, audit_id);
CREATE INDEX ml_audit_actor ON ml_audit (tenant_id, actor, audit_id);

-- champion is none of them: it is the model's champion_version.
CREATE TABLE ml_model_aliases (
  tenant_id      text        NOT NULL,
  model_name     text        NOT NULL,
  alias          text        NOT NULL CHECK (alias ~ '^[a-z][a-z0-9_-]{0,63}$' AND alias <> 'champion'),
  version        text        NOT NULL,
  row_version    bigint      NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name, alias),
  FOREIGN KEY (tenant_id, model_name, version) REFERENCES ml_model_versions (tenant_id, model_name, version) ON DELETE CASCADE
);
CREATE INDEX ml_model_aliases_version ON ml_model_aliases (tenant_id, model_name, version);

-- Append-only: which stage each version was in, since when, by whom.
CREATE TABLE ml_stage_transitions (
  tenant_id      text        NOT NULL,
  transition_id  bigint      GENERATED ALWAYS AS IDENTITY,
  model_name     text        NOT NULL,
  version        text        NOT NULL,
  from_stage     text        NOT NULL,
  to_stage       text        NOT NULL,
  forced         boolean     NOT NULL DEFAULT false,
  reason         text        NOT NULL DEFAULT '',
  actor          text        NOT NULL,
  request_id     text        NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name, transition_id)
);

-- What DynamoDB and S3 hold the truth of, projected for queries whenever this database is awake anyway.
CREATE TABLE model_training_jobs (
  tenant_id      text        NOT NULL,
  job_id         text        NOT NULL,
  model_name     text        NOT NULL,
  status         text        NOT NULL CHECK (status IN ('completed', 'failed', 'timed_out', 'cancelled')),
  trigger        text        NOT NULL,
  dataset_id     text,
  model_version  text,
  metrics        jsonb       NOT NULL DEFAULT '{}',
  actor          text        NOT NULL,
  started_at     timestamptz NOT NULL,
  row_version    bigint      NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, job_id)
);
CREATE INDEX model_training_jobs_model ON model_training_jobs (tenant_id, model_name, started_at DESC);

CREATE TABLE model_feedback (
  tenant_id      text        NOT NULL,
  prediction_id  text        NOT NULL,
  model_name     text        NOT NULL,
  model_version  text        NOT NULL,
  predicted      jsonb       NOT NULL,
  actual         jsonb       NOT NULL,
  predicted_at   timestamptz NOT NULL,
  actor          text        NOT NULL,
  row_version    bigint      NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, prediction_id)
);
CREATE INDEX model_feedback_model ON model_feedback (tenant_id, model_name, model_version, predicted_at DESC);

CREATE TABLE model_performance (
  tenant_id      text        NOT NULL,
  model_name     text        NOT NULL,
  model_version  text        NOT NULL,
  window_start   timestamptz NOT NULL,
  window_end     timestamptz NOT NULL CHECK (window_end > window_start),
  n_samples      integer     NOT NULL CHECK (n_samples >= 0),
  metrics        jsonb       NOT NULL,
  row_version    bigint      NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name, model_version, window_start)
);

CREATE TABLE model_alerts (
  tenant_id      text        NOT NULL,
  alert_id       text        NOT NULL,
  model_name     text        NOT NULL,
  kind           text        NOT NULL,
  severity       text        NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  message        text        NOT NULL,
  detail         jsonb       NOT NULL DEFAULT '{}',
  acknowledged_by text,
  acknowledged_at timestamptz,
  row_version    bigint      NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, alert_id)
);
CREATE INDEX model_alerts_model ON model_alerts (tenant_id, model_name, created_at DESC);

DO $$
DECLARE one text;
BEGIN
  FOREACH one IN ARRAY ARRAY['ml_model_aliases', 'model_training_jobs', 'model_feedback', 'model_performance', 'model_alerts'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION touch_updated_at()', one || '_touch', one);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO tenantml_app', one);
  END LOOP;
  FOREACH one IN ARRAY ARRAY['ml_model_aliases', 'ml_stage_transitions', 'model_training_jobs', 'model_feedback', 'model_performance', 'model_alerts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one);
    EXECUTE format('CREATE POLICY tenant_rows ON %I USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', one);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON ml_stage_transitions TO tenantml_app;

-- The time of the change, which waits for others of the model, not that of the transaction's begin: history is in order.
ALTER TABLE ml_deployments ALTER COLUMN created_at SET DEFAULT clock_timestamp();
ALTER TABLE ml_audit ALTER COLUMN created_at SET DEFAULT clock_timestamp();
ALTER TABLE ml_stage_transitions ALTER COLUMN created_at SET DEFAULT clock_timestamp();

-- Rollback is an action of its own in the history.
ALTER TABLE ml_deployments DROP CONSTRAINT ml_deployments_action_check;
ALTER TABLE ml_deployments ADD CONSTRAINT ml_deployments_action_check
  CHECK (action IN ('deploy', 'rollback', 'withdraw', 'configure'));
ALTER TABLE ml_deployments ADD COLUMN forced boolean NOT NULL DEFAULT false, ADD COLUMN reason text NOT NULL DEFAULT '';

-- Down Migration

ALTER TABLE ml_audit ALTER COLUMN created_at SET DEFAULT now();
ALTER TABLE ml_deployments ALTER COLUMN created_at SET DEFAULT now();
ALTER TABLE ml_deployments DROP COLUMN forced, DROP COLUMN reason;
ALTER TABLE ml_deployments DROP CONSTRAINT ml_deployments_action_check;
-- Rows that the older rule would refuse are history all the same.
ALTER TABLE ml_deployments ADD CONSTRAINT ml_deployments_action_check
  CHECK (action IN ('deploy', 'withdraw', 'configure')) NOT VALID;
DROP TABLE model_alerts;
DROP TABLE model_performance;
DROP TABLE model_feedback;
DROP TABLE model_training_jobs;
DROP TABLE ml_stage_transitions;
DROP TABLE ml_model_aliases;
DROP INDEX ml_audit_actor;
DROP INDEX ml_audit_subject;
DROP INDEX ml_deployments_time;
DROP INDEX ml_model_versions_dataset;
DROP INDEX ml_model_versions_stage;
DROP INDEX ml_model_versions_sha256;
DROP INDEX ml_model_versions_build;
-- A derived version shares its job with the one that it came from, which the older rule forbids.
ALTER TABLE ml_model_versions NO FORCE ROW LEVEL SECURITY;
DELETE FROM ml_model_versions WHERE derived_from IS NOT NULL;
ALTER TABLE ml_model_versions FORCE ROW LEVEL SECURITY;
DROP INDEX ml_model_versions_job;
ALTER TABLE ml_model_versions ADD CONSTRAINT ml_model_versions_tenant_id_job_id_key UNIQUE (tenant_id, job_id);
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
ALTER TABLE ml_model_versions DROP COLUMN row_version, DROP COLUMN description, DROP COLUMN notes, DROP COLUMN tags,
  DROP COLUMN derived_from;
ALTER TABLE ml_models DROP COLUMN row_version, DROP COLUMN tags, DROP COLUMN notes, DROP COLUMN archived_at,
  DROP COLUMN deleted_at;
