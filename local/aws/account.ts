/** Where the twin pretends to be. Part of every ARN that it makes. */
export const REGION = 'us-east-1';
export const ACCOUNT_ID = '000000000000';
export const PARTITION = 'aws';

/** `arn:aws:<service>:us-east-1:000000000000:<resource>` */
export function arn(service: string, resource: string): string {
  return `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
}

/** IAM is global: its ARNs carry no region. */
export function iamArn(resource: string): string {
  return `arn:${PARTITION}:iam::${ACCOUNT_ID}:${resource}`;
}

export function bucketArn(bucket: string): string {
  return `arn:${PARTITION}:s3:::${bucket}`;
}

/** Name of a function from any form that Lambda accepts: name, ARN, either with a qualifier. */
export function functionNameOf(reference: string): string {
  const parts = reference.split(':');
  if (parts[0] === 'arn' && parts.length >= 7) {
    return parts[6] as string;
  }
  return parts[0] as string;
}
