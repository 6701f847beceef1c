import { z } from 'zod';

/** A tenant's identifier, as the verified token names it. 2 to 63 lower-case letters, digits and single hyphens. */
export const TenantId = z
  .string()
  .regex(/^[a-z0-9](-?[a-z0-9]){1,62}$/)
  .max(63)
  .brand<'TenantId'>();
export type TenantId = z.infer<typeof TenantId>;

/** `model_name` and `model_id` are the same string. */
export const ModelName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit',
  )
  .brand<'ModelName'>();
export type ModelName = z.infer<typeof ModelName>;

/**
 * Any name of a version: semver (`1.2.0`), the integer of MLflow (`3`), the build id
 * (`20260131T120000Z-1a2b3c4d`), the artifact's sha256, an alias, `champion`, or an environment for what it serves.
 */
export const VersionName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'must be a semver, an integer version, a build id, a sha256 or an alias',
  );
export type VersionName = z.infer<typeof VersionName>;

/** A ULID: 48 bits of time, 80 of randomness, in Crockford's base 32. */
export const Ulid = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be a ULID of 26 characters');

export const JobId = Ulid.brand<'JobId'>();
export type JobId = z.infer<typeof JobId>;

export const UploadId = Ulid.brand<'UploadId'>();
export type UploadId = z.infer<typeof UploadId>;

/** The sha256 of a dataset's source bytes and canonical parse options, in lower-case hex. */
export const DatasetId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
  .brand<'DatasetId'>();
export type DatasetId = z.infer<typeof DatasetId>;

/** Names an API key to its tenant's admins; it says nothing of the key. */
export const KeyId = Ulid.brand<'KeyId'>();
export type KeyId = z.infer<typeof KeyId>;

/** Who somebody is to the identity provider: the `sub` of the token. */
export const Subject = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/,
    'must be 1 to 128 letters, digits, ".", "_", "@" or "-", starting with a letter or digit',
  )
  .brand<'Subject'>();
export type Subject = z.infer<typeof Subject>;

export const Timestamp = z.iso.datetime().describe('RFC 3339, UTC');
