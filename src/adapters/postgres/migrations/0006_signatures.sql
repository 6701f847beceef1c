-- Up Migration

-- By which key, over tenant, model, build and manifest_sha256; NULL for versions from before versions were signed.
ALTER TABLE ml_model_versions ADD COLUMN manifest_signature jsonb;

-- Down Migration

ALTER TABLE ml_model_versions DROP COLUMN manifest_signature;
