import { createHash } from 'node:crypto';

/**
 * CloudFormation appends a random suffix to the names it makes; the twin derives the name from stack and logical
 * id alone, because its data must be found again after a restart and after a new synth.
 */
export function physicalName(stack: string, logicalId: string, maxLength = 64): string {
  return shorten(`${stack}-${logicalId}`, maxLength);
}

/** S3 allows lower case letters, digits and hyphens, 63 at most. */
export function bucketName(stack: string, logicalId: string): string {
  return shorten(`${stack}-${logicalId}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-'), 63);
}

function shorten(name: string, maxLength: number): string {
  if (name.length <= maxLength) {
    return name;
  }
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, maxLength - 9)}-${digest}`;
}
