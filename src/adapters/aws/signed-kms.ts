import { type ManifestStatement, manifestStatement } from '../../contracts/manifest-statement.ts';
import type { ManifestSignature } from '../../contracts/models.ts';
import type { ManifestSigner } from '../../training/manifest-signer.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';

/** The two operations of KMS that signing takes, without an SDK client of their own. */
export class SignedKms implements ManifestSigner {
  readonly #kms: SignedClient;
  readonly #keyId: () => string;

  /** @param keyId of the key that signs, asked for when it is used */
  constructor(parts: { region: string; endpoint?: string | undefined; keyId: () => string }) {
    const { region, endpoint, keyId } = parts;
    this.#kms = new SignedClient('kms', endpoint ?? `https://kms.${region}.amazonaws.com`);
    this.#keyId = keyId;
  }

  async sign(statement: ManifestStatement): Promise<ManifestSignature> {
    const answer = await this.#call<{ KeyId: string; Signature: string }>('Sign', {
      KeyId: this.#keyId(),
      Message: manifestStatement(statement).toString('base64'),
      MessageType: 'RAW',
      SigningAlgorithm: 'ECDSA_SHA_256',
    });
    return { key_id: keyIdOf(answer.KeyId), algorithm: 'ECDSA_SHA_256', signature: answer.Signature };
  }

  /** @returns the public half of the key, SubjectPublicKeyInfo in DER */
  async publicKey(): Promise<{ keyId: string; publicKey: Uint8Array }> {
    const answer = await this.#call<{ KeyId: string; PublicKey: string }>('GetPublicKey', {
      KeyId: this.#keyId(),
    });
    return { keyId: keyIdOf(answer.KeyId), publicKey: Buffer.from(answer.PublicKey, 'base64') };
  }

  async #call<Answer>(operation: string, input: object): Promise<Answer> {
    const { status, body } = await this.#kms.send({
      ...{ method: 'POST', path: '/', body: JSON.stringify(input) },
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      },
    });
    const answer = JSON.parse(body.toString('utf8') || '{}') as Answer & { __type?: string };
    if (status === 200) return answer;
    const name = answer.__type?.split('#').at(-1) ?? 'KmsError';
    throw new AwsServiceError(name, status, `KMS answered ${status} to ${operation}`);
  }
}

/** KMS answers with the ARN of the key. */
const keyIdOf = (arn: string): string => arn.split('/').at(-1)!;
