-- Up Migration

-- What the environments beside production serve; production is the model's champion_version. A row whose version is
-- NULL was emptied: its pointer has to be withdrawn.
CREATE TABLE ml_model_environments (
  tenant_id      text        NOT NULL,
  model_name     text        NOT NULL,
  environment    text        NOT NULL CHECK (environment IN ('development', 'staging')),
  version        text,
  row_version    bigint      NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, model_name, environment),
  FOREIGN KEY (tenant_id, model_name, version) REFERENCES ml_model_versions (tenant_id, model_name, version)
);
CREATE INDEX ml_model_environments_version ON ml_model_environments (tenant_id, model_name, version);
CREATE TRIGGER ml_model_environments_touch BEFORE UPDATE ON ml_model_environments
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
GRANT SELECT, INSERT, UPDATE, DELETE ON ml_model_environments TO tenantml_app;
ALTER TABLE ml_model_environments ENABLE ROW LEVEL SECURITY;
ALTER TABLE ml_model_environments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON ml_model_environments
  USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());

ALTER TABLE ml_deployments ADD COLUMN environment text NOT NULL DEFAULT 'production'
  CHECK (environment IN ('development', 'staging', 'production'));
CREATE INDEX ml_deployments_environment ON ml_deployments (tenant_id, model_name, environment, revision DESC);

-- The names of environments are reserved. An alias that has one is renamed, so that it goes on naming its version and can
-- be removed; where the new name is taken, it goes.
ALTER TABLE ml_model_aliases NO FORCE ROW LEVEL SECURITY;
UPDATE ml_model_aliases a SET alias = a.alias || '-alias'
  WHERE a.alias IN ('development', 'staging', 'production') AND NOT EXISTS (
    SELECT FROM ml_model_aliases b
    WHERE b.tenant_id = a.tenant_id AND b.model_name = a.model_name AND b.alias = a.alias || '-alias');
DELETE FROM ml_model_aliases WHERE alias IN ('development', 'staging', 'production');
ALTER TABLE ml_model_aliases FORCE ROW LEVEL SECURITY;

-- Down Migration

-- Without the column, what happened elsewhere would read as if it had happened in production. It stays as a line that
-- changed nothing there: the revision of a model is that of a line, and that is read.
ALTER TABLE ml_deployments NO FORCE ROW LEVEL SECURITY;
UPDATE ml_deployments d SET action = 'configure', previous_version = before.version, version = before.version
  FROM ml_deployments one LEFT JOIN LATERAL (
    SELECT version FROM ml_deployments earlier
    WHERE earlier.tenant_id = one.tenant_id AND earlier.model_name = one.model_name
      AND earlier.environment = 'production' AND earlier.revision < one.revision
    ORDER BY earlier.revision DESC LIMIT 1) before ON true
  WHERE d.environment <> 'production'
    AND one.tenant_id = d.tenant_id AND one.model_name = d.model_name AND one.revision = d.revision;
ALTER TABLE ml_deployments FORCE ROW LEVEL SECURITY;
ALTER TABLE ml_deployments DROP COLUMN environment;
DROP TABLE ml_model_environments;
