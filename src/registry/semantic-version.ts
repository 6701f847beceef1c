import { createHash } from 'node:crypto';
import type { ModelManifest } from '../contracts/models.ts';
import { ValidationError } from '../errors.ts';

/** A retrain bumps minor, a changed input schema major, changed metadata patch. */
export type Bump = 'major' | 'minor' | 'patch';

/** Semantic Versioning 2.0.0 without pre-release and build: three numbers without leading zeros. */
const pattern = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

/** A text that is no version number. */
export class VersionNumberError extends ValidationError {
  constructor(version: string) {
    super(
      `version ${JSON.stringify(version.slice(0, 60))} must be MAJOR.MINOR.PATCH, such as 1.2.0, with numbers below 1,000,000,000 and no leading zeros`,
      { code: 'VERSION_NUMBER_INVALID' },
    );
  }
}

/** @throws {VersionNumberError} */
export function parseVersion(version: string): readonly [major: number, minor: number, patch: number] {
  const [, major, minor, patch] = pattern.exec(version) ?? [];
  if (patch === undefined) throw new VersionNumberError(version);
  return [Number(major), Number(minor), Number(patch)];
}

/** Of numbers that are given from outside: a hundred million retrainings, and there is still a next one. */
const maxGivenPart = 99_999_999;

/** A number behind which too few would be left. */
export class VersionNumberTooLargeError extends ValidationError {
  constructor(version: string) {
    super(
      `version ${version} must have no number above ${maxGivenPart.toLocaleString('en')}, so that later versions have numbers too`,
      { code: 'VERSION_NUMBER_INVALID' },
    );
  }
}

/** @throws {VersionNumberError} @throws {VersionNumberTooLargeError} */
export function checkGivenVersion(version: string): void {
  if (parseVersion(version).some((part) => part > maxGivenPart))
    throw new VersionNumberTooLargeError(version);
}

/** @param latest - the newest number ever given; the first is 1.0.0 @throws {VersionNumberError} */
export function nextVersion(latest: string | undefined, bump: Bump): string {
  if (latest === undefined) return '1.0.0';
  const [major, minor, patch] = parseVersion(latest);
  if (bump === 'major') return `${major + 1}.0.0`;
  if (bump === 'minor') return `${major}.${minor + 1}.0`;
  return `${major}.${minor}.${patch + 1}`;
}

/** @returns what callers must send and what they get, as one hash: same hash, same input schema */
export function schemaHash({ features, task, target, classes }: ModelManifest): string {
  const schema = JSON.stringify([
    task,
    target,
    features.map(({ name, type }) => [name, type]),
    classes ?? null,
  ]);
  return createHash('sha256').update(schema).digest('hex');
}

/** For sorting: negative when `a` is the older version. @throws {VersionNumberError} */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
}
