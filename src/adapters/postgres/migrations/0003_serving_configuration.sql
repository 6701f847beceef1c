-- Up Migration

-- How a model is served beside its champion; projected with the champion into the serving pointer.
ALTER TABLE ml_models
  ADD COLUMN canary_version text,
  ADD COLUMN canary_weight double precision CHECK (canary_weight > 0 AND canary_weight < 1),
  ADD COLUMN shadow_version text,
  ADD COLUMN serving_settings jsonb NOT NULL DEFAULT '{}',
  ADD CONSTRAINT canary_has_weight CHECK ((canary_version IS NULL) = (canary_weight IS NULL));

ALTER TABLE ml_deployments DROP CONSTRAINT ml_deployments_action_check;
ALTER TABLE ml_deployments ADD CONSTRAINT ml_deployments_action_check
  CHECK (action IN ('deploy', 'withdraw', 'configure'));

-- Down Migration

ALTER TABLE ml_deployments DROP CONSTRAINT ml_deployments_action_check;
-- Rows that the older rule would refuse are history all the same.
ALTER TABLE ml_deployments ADD CONSTRAINT ml_deployments_action_check
  CHECK (action IN ('deploy', 'withdraw')) NOT VALID;
ALTER TABLE ml_models DROP CONSTRAINT canary_has_weight, DROP COLUMN canary_version, DROP COLUMN canary_weight,
  DROP COLUMN shadow_version, DROP COLUMN serving_settings;
