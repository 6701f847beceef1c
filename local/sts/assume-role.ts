import { AwsServiceError } from '../aws/service-error.ts';

/** A call of AssumeRole, checked as STS checks it. */
export interface AssumeRole {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly tags: Readonly<Record<string, string>>;
}

const MIN_DURATION_SECONDS = 900;
/** Every caller of the twin is a session of a role already, and a chained session lasts an hour at most. */
const MAX_CHAINED_SECONDS = 3_600;
const MAX_TAGS = 50;
const ROLE_ARN = /^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
/** As STS has it: no `*`, `?` or `$`, so that no value can become a pattern or a variable of a policy. */
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const TAG_PARAMETER = /^Tags\.member\.(\d+)\.(Key|Value)$/;
const PARAMETERS = new Set(['Action', 'Version', 'RoleArn', 'RoleSessionName', 'DurationSeconds']);

/** Reads the form of the query protocol. A parameter that the twin would not act on is refused, not ignored. */
export function parseAssumeRole(form: ReadonlyMap<string, string>): AssumeRole {
  for (const name of form.keys()) {
    if (!PARAMETERS.has(name) && !TAG_PARAMETER.test(name))
      throw new AwsServiceError('NotImplemented', `${name} is not part of the local STS`, 501);
  }
  const durationSeconds = Number(form.get('DurationSeconds') ?? MAX_CHAINED_SECONDS);
  if (!Number.isInteger(durationSeconds) || durationSeconds < MIN_DURATION_SECONDS)
    throw invalid(`DurationSeconds must be a whole number of at least ${MIN_DURATION_SECONDS}`);
  if (durationSeconds > MAX_CHAINED_SECONDS)
    throw invalid(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  return {
    roleArn: matching(form, 'RoleArn', ROLE_ARN),
    sessionName: matching(form, 'RoleSessionName', SESSION_NAME),
    durationSeconds,
    tags: parseTags(form),
  };
}

function parseTags(form: ReadonlyMap<string, string>): Record<string, string> {
  const members = new Map<string, { Key?: string; Value?: string }>();
  for (const [name, value] of form) {
    const [, index, part] = TAG_PARAMETER.exec(name) ?? [];
    if (index !== undefined) members.set(index, { ...members.get(index), [part as string]: value });
  }
  if (members.size > MAX_TAGS) throw invalid(`Tags must have at most ${MAX_TAGS} members`);
  const tags: Record<string, string> = {};
  for (const { Key = '', Value = '' } of members.values()) {
    if (!TAG_KEY.test(Key)) throw invalid(`the tag key '${Key}' does not match ${TAG_KEY.source}`);
    if (!TAG_VALUE.test(Value)) throw invalid(`the tag value '${Value}' does not match ${TAG_VALUE.source}`);
    if (Object.keys(tags).some((known) => known.toLowerCase() === Key.toLowerCase()))
      throw new AwsServiceError('InvalidParameterValue', 'Duplicate tag keys found.');
    tags[Key] = Value;
  }
  return tags;
}

function matching(form: ReadonlyMap<string, string>, name: string, pattern: RegExp): string {
  const value = form.get(name) ?? '';
  if (!pattern.test(value)) throw invalid(`the value '${value}' of ${name} does not match ${pattern.source}`);
  return value;
}

const invalid = (message: string): AwsServiceError => new AwsServiceError('ValidationError', message);
