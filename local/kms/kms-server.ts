import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT_ID, arn } from '../aws/account.ts';
import { type ListeningServer, listen } from '../aws/http.ts';
import { type JsonOperationCall, jsonProtocolListener } from '../aws/json-protocol.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import type { DeployedResource } from '../template/deployed-template.ts';

export interface KmsServerOptions {
  /** Holds a private key in PEM for each key that signs. */
  readonly directory: string;
  readonly registry: CredentialRegistry;
  onFailure(error: unknown): void;
}

interface Key {
  readonly id: string;
  readonly description: string;
  readonly spec: string;
  readonly usage: string;
  /** Of keys that sign; nothing is encrypted on a developer machine. */
  readonly privateKey: KeyObject | undefined;
}

const signingSpec = 'ECC_NIST_P256';
const signingAlgorithm = 'ECDSA_SHA_256';
/** What Sign takes as a message; longer ones are sent as digests. */
const maxMessageBytes = 4096;

/** KMS: Sign, GetPublicKey and DescribeKey of the template's keys. Keys that sign are kept in the data folder. */
export class KmsServer {
  readonly #options: KmsServerOptions;
  #keys: ReadonlyMap<string, Key> = new Map();
  #authorizer: Authorizer | undefined;
  #listening: ListeningServer | undefined;

  constructor(options: KmsServerOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    this.#listening = await listen(
      jsonProtocolListener({
        signingName: 'kms',
        contentType: 'application/x-amz-json-1.1',
        registry: this.#options.registry,
        handle: (call) => this.#handle(call),
        onFailure: this.#options.onFailure,
      }),
    );
    return this.#listening.url;
  }

  deploy(keys: readonly DeployedResource[], authorizer: Authorizer): void {
    this.#keys = new Map(keys.map((key) => [key.physicalId, this.#keyOf(key)]));
    this.#authorizer = authorizer;
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  async #handle({ operation, input, principal }: JsonOperationCall): Promise<object> {
    const work = operations[operation];
    if (work === undefined || this.#authorizer === undefined)
      throw new AwsServiceError('UnknownOperationException', `${operation} is not part of the local KMS`);
    const id = String(input.KeyId ?? '').replace(/^arn:[^/]*\//, '');
    const resource = keyArn(id);
    const key = this.#keys.get(id);
    // There is no key policy that could be asked.
    if (key === undefined) throw new AwsServiceError('NotFoundException', `Key '${resource}' does not exist`);
    await this.#authorizer.require({ principal, action: `kms:${operation}`, resource });
    return work(key, input);
  }

  #keyOf({ physicalId: id, properties }: DeployedResource): Key {
    const spec = String(properties.KeySpec ?? 'SYMMETRIC_DEFAULT');
    const usage = String(properties.KeyUsage ?? 'ENCRYPT_DECRYPT');
    const signs = usage === 'SIGN_VERIFY' && spec === signingSpec;
    return {
      ...{ id, spec, usage, description: String(properties.Description ?? '') },
      privateKey: signs ? this.#privateKey(id) : undefined,
    };
  }

  #privateKey(id: string): KeyObject {
    const file = join(this.#options.directory, `${id}.pem`);
    if (!existsSync(file)) {
      mkdirSync(this.#options.directory, { recursive: true });
      const { privateKey } = generateKeyPairSync('ec', {
        namedCurve: 'prime256v1',
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      });
      writeFileSync(file, privateKey, { mode: 0o600 });
    }
    return createPrivateKey(readFileSync(file));
  }
}

const keyArn = (id: string): string => arn('kms', `key/${id}`);

const operations: Readonly<Record<string, (key: Key, input: Record<string, unknown>) => object>> = {
  Sign(key, input) {
    const privateKey = signingKey(key, input);
    const message = Buffer.from(String(input.Message ?? ''), 'base64');
    if ((input.MessageType ?? 'RAW') !== 'RAW')
      throw new AwsServiceError('ValidationException', 'the local KMS signs messages of type RAW only');
    if (message.length < 1 || message.length > maxMessageBytes)
      throw new AwsServiceError('ValidationException', `Message must have 1 to ${maxMessageBytes} bytes`);
    return {
      KeyId: keyArn(key.id),
      Signature: sign('sha256', message, { key: privateKey, dsaEncoding: 'der' }).toString('base64'),
      SigningAlgorithm: signingAlgorithm,
    };
  },

  GetPublicKey(key) {
    const publicKey = createPublicKey(signingKey(key, {}));
    return {
      ...{ KeyId: keyArn(key.id), KeySpec: key.spec, KeyUsage: key.usage },
      PublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      SigningAlgorithms: [signingAlgorithm],
    };
  },

  DescribeKey: (key) => ({
    KeyMetadata: {
      ...{ AWSAccountId: ACCOUNT_ID, Arn: keyArn(key.id), KeyId: key.id, Description: key.description },
      ...{ Enabled: true, KeyState: 'Enabled', KeyManager: 'CUSTOMER', Origin: 'AWS_KMS' },
      ...{ KeySpec: key.spec, KeyUsage: key.usage, MultiRegion: false },
      ...(key.privateKey === undefined ? {} : { SigningAlgorithms: [signingAlgorithm] }),
    },
  }),
};

function signingKey(key: Key, { SigningAlgorithm = signingAlgorithm }: Record<string, unknown>): KeyObject {
  if (key.privateKey === undefined || SigningAlgorithm !== signingAlgorithm)
    throw new AwsServiceError(
      'InvalidKeyUsageException',
      `${keyArn(key.id)} is ${key.spec} for ${key.usage}; the local KMS signs with ${signingSpec} and ${signingAlgorithm}`,
    );
  return key.privateKey;
}
