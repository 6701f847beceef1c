import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ListeningServer, listen, readBody } from '../aws/http.ts';
import { callerOf } from '../aws/rest-json.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { parseQuery } from '../aws/signature-v4.ts';
import { toXml, type XmlValue } from '../aws/xml.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import { type Principal, principalArn, roleNameOf, roleSession } from '../iam/principal.ts';
import { parseAssumeRole } from './assume-role.ts';

export interface StsServerOptions {
  readonly registry: CredentialRegistry;
  onFailure(error: unknown): void;
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const MAX_BODY_BYTES = 64 * 1024;

/** AssumeRole of STS, with session tags: what the template's policies say of caller and role decides. */
export class StsServer {
  readonly #options: StsServerOptions;
  #authorizer: Authorizer | undefined;
  #listening: ListeningServer | undefined;

  constructor(options: StsServerOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    this.#listening = await listen((request, response) => void this.#serve(request, response));
    return this.#listening.url;
  }

  deploy(authorizer: Authorizer): void {
    this.#authorizer = authorizer;
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const RequestId = randomUUID();
    const send = (status: number, root: string, value: XmlValue) => {
      const xml = toXml(root, value, NAMESPACE);
      response.writeHead(status, {
        'content-type': 'text/xml',
        'content-length': Buffer.byteLength(xml),
        'x-amzn-requestid': RequestId,
      });
      response.end(xml);
    };
    try {
      const body = await readBody(request, MAX_BODY_BYTES);
      const { principal } = callerOf(this.#options.registry, 'sts', request, body);
      const form = new Map(parseQuery(body.toString('utf8')));
      const action = form.get('Action');
      if (action !== 'AssumeRole')
        throw new AwsServiceError('InvalidAction', `${action} is not part of the local STS`);
      const AssumeRoleResult = await this.#assumeRole(form, principal);
      send(200, 'AssumeRoleResponse', { AssumeRoleResult, ResponseMetadata: { RequestId } });
    } catch (error) {
      const known = error instanceof AwsServiceError;
      if (!known) this.#options.onFailure(error);
      const { status, code, message } = known
        ? error
        : new AwsServiceError('InternalFailure', 'the local STS failed', 500);
      const Type = status < 500 ? 'Sender' : 'Receiver';
      send(status, 'ErrorResponse', { Error: { Type, Code: code, Message: message }, RequestId });
    }
  }

  async #assumeRole(form: ReadonlyMap<string, string>, caller: Principal): Promise<XmlValue> {
    const authorizer = this.#authorizer;
    if (authorizer === undefined)
      throw new AwsServiceError('ServiceUnavailable', 'the twin is still starting', 503);
    const { roleArn, sessionName, durationSeconds, tags } = parseAssumeRole(form);
    const keys = Object.keys(tags);
    const context = {
      'sts:RoleSessionName': sessionName,
      ...(keys.length === 0 ? {} : { 'aws:TagKeys': keys }),
      ...Object.fromEntries(keys.map((key) => [`aws:RequestTag/${key}`, tags[key] as string])),
    };
    // Tags take a permission of their own, which the trust policy has to give as well.
    const actions = keys.length === 0 ? ['sts:AssumeRole'] : ['sts:AssumeRole', 'sts:TagSession'];
    for (const action of actions) {
      await authorizer.require({ principal: caller, action, resource: roleArn, context });
    }
    const principal = { ...roleSession(roleNameOf(roleArn), sessionName), tags };
    // To the second, as STS states it.
    const expiresAtMs = Math.floor(this.#options.registry.nowMs / 1000 + durationSeconds) * 1000;
    const credentials = this.#options.registry.issueUntil(principal, expiresAtMs);
    return {
      Credentials: {
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        SessionToken: credentials.sessionToken,
        Expiration: new Date(expiresAtMs).toISOString().replace('.000Z', 'Z'),
      },
      AssumedRoleUser: {
        AssumedRoleId: `AROA${credentials.accessKeyId.slice(4)}:${sessionName}`,
        Arn: principalArn(principal),
      },
    };
  }
}
