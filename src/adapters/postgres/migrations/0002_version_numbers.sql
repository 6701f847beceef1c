-- Up Migration

-- Number and input schema of the newest version ever made: the next number follows from them also when that
-- version is deleted, so that one number never names two models.
ALTER TABLE ml_models ADD COLUMN last_version text, ADD COLUMN last_schema_hash text;

-- The owner sees no rows either while row level security is forced; this transaction looks at all of them once.
ALTER TABLE ml_models NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ml_model_versions NO FORCE ROW LEVEL SECURITY;
UPDATE ml_models SET last_version = newest.version, last_schema_hash = newest.schema_hash
  FROM (SELECT DISTINCT ON (tenant_id, model_name) tenant_id, model_name, version, schema_hash
        FROM ml_model_versions ORDER BY tenant_id, model_name, mlflow_version DESC) newest
  WHERE ml_models.tenant_id = newest.tenant_id AND ml_models.model_name = newest.model_name;
ALTER TABLE ml_models FORCE ROW LEVEL SECURITY;
ALTER TABLE ml_model_versions FORCE ROW LEVEL SECURITY;

-- Down Migration

ALTER TABLE ml_models DROP COLUMN last_version, DROP COLUMN last_schema_hash;
