-- Up Migration

-- The tenant of the running transaction. After a transaction the setting reads '', not NULL.
CREATE FUNCTION current_tenant() RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT nullif(current_setting('app.tenant', true), '') $$;

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;

CREATE TABLE ml_models (
  tenant_id      text        NOT NULL CHECK (tenant_id ~ '^[a-z0-9](-?[a-z0-9]){1,62}$'),
  model_name     text        NOT NULL CHECK (model_name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
  description    text        NOT NULL DEFAULT '',
  -- Number of the newest version ever made; numbers of deleted versions are never given again.
  last_mlflow_version integer NOT NULL DEFAULT 0,
  -- Rises by one with every change of what is deployed; the serving pointer carries it.
  revision       bigint      NOT NULL DEFAULT 0,
  champion_version text,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name)
);

CREATE TABLE ml_model_versions (
  tenant_id      text        NOT NULL,
  model_name     text        NOT NULL,
  version        text        NOT NULL CHECK (version ~ '^\d+\.\d+\.\d+$'),
  mlflow_version integer     NOT NULL,
  build_id       text        NOT NULL,
  stage          text        NOT NULL DEFAULT 'Development'
                 CHECK (stage IN ('Development', 'Staging', 'Production', 'Archived', 'Failed')),
  task           text        NOT NULL,
  algorithm      text        NOT NULL,
  metrics        jsonb       NOT NULL DEFAULT '{}',
  manifest       jsonb       NOT NULL,
  artifact_key   text        NOT NULL,
  artifact_sha256 text       NOT NULL,
  artifact_bytes bigint      NOT NULL,
  manifest_key   text        NOT NULL,
  manifest_sha256 text       NOT NULL,
  dataset_id     text        NOT NULL,
  schema_hash    text        NOT NULL,
  job_id         text        NOT NULL,
  verified_at    timestamptz,
  created_by     text        NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name, version),
  UNIQUE (tenant_id, model_name, mlflow_version),
  -- One job registers one version, however often its step is retried.
  UNIQUE (tenant_id, job_id),
  FOREIGN KEY (tenant_id, model_name) REFERENCES ml_models (tenant_id, model_name) ON DELETE CASCADE
);

-- Append-only: what was deployed, when, by whom.
CREATE TABLE ml_deployments (
  tenant_id      text        NOT NULL,
  model_name     text        NOT NULL,
  revision       bigint      NOT NULL,
  version        text,
  previous_version text,
  action         text        NOT NULL CHECK (action IN ('deploy', 'withdraw')),
  actor          text        NOT NULL,
  request_id     text        NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name, revision)
);

-- Append-only: every change, in the transaction that made it.
CREATE TABLE ml_audit (
  tenant_id      text        NOT NULL,
  audit_id       bigint      GENERATED ALWAYS AS IDENTITY,
  action         text        NOT NULL,
  subject        text        NOT NULL,
  actor          text        NOT NULL,
  request_id     text        NOT NULL,
  detail         jsonb       NOT NULL DEFAULT '{}',
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, audit_id)
);

CREATE TRIGGER ml_models_touch BEFORE UPDATE ON ml_models
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER ml_model_versions_touch BEFORE UPDATE ON ml_model_versions
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Forced, so that it binds the owner too. Without a tenant current_tenant() is NULL and no row is visible.
ALTER TABLE ml_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE ml_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON ml_models USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
ALTER TABLE ml_model_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE ml_model_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON ml_model_versions USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
ALTER TABLE ml_deployments ENABLE ROW LEVEL SECURITY;
ALTER TABLE ml_deployments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON ml_deployments USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
ALTER TABLE ml_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE ml_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON ml_audit USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());

GRANT USAGE ON SCHEMA public TO tenantml_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ml_models, ml_model_versions TO tenantml_app;
-- Append-only for the application.
GRANT SELECT, INSERT ON ml_deployments, ml_audit TO tenantml_app;

-- Down Migration

DROP TABLE ml_audit;
DROP TABLE ml_deployments;
DROP TABLE ml_model_versions;
DROP TABLE ml_models;
DROP FUNCTION touch_updated_at();
DROP FUNCTION current_tenant();
