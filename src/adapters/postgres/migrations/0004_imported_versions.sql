-- Up Migration

-- Versions that were brought as a file have neither an algorithm nor a dataset of this platform.
ALTER TABLE ml_model_versions
  ALTER COLUMN algorithm DROP NOT NULL,
  ALTER COLUMN dataset_id DROP NOT NULL,
  ADD COLUMN origin text NOT NULL DEFAULT 'trained' CHECK (origin IN ('trained', 'imported')),
  ADD COLUMN framework text,
  ADD CONSTRAINT trained_versions_say_from_what
    CHECK (origin = 'imported' OR (algorithm IS NOT NULL AND dataset_id IS NOT NULL));

-- Down Migration

DELETE FROM ml_model_versions WHERE origin = 'imported';
ALTER TABLE ml_model_versions
  DROP CONSTRAINT trained_versions_say_from_what,
  DROP COLUMN framework,
  DROP COLUMN origin,
  ALTER COLUMN algorithm SET NOT NULL,
  ALTER COLUMN dataset_id SET NOT NULL;
