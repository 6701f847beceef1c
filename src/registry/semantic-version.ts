import { createHash } from 'node:crypto';
import type { ModelManifest } from '../contracts/models.ts';

/** A retrain bumps minor, a changed input schema major, changed metadata patch. */
export type Bump = 'major' | 'minor' | 'patch';

export function nextVersion(latest: string | undefined, bump: Bump): string {
  if (latest === undefined) return '1.0.0';
  const [major, minor, patch] = latest.split('.').map(Number) as [number, number, number];
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

/** For sorting: negative when `a` is the older version. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  return x[0]! - y[0]! || x[1]! - y[1]! || x[2]! - y[2]!;
}
