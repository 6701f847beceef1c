/** Makes what signs and verifies manifests, from the deployment's settings. */
import { SignedKms } from '../adapters/aws/signed-kms.ts';
import { SigningKeys } from '../adapters/aws/signing-keys.ts';
import { config } from '../config.ts';
import { SignedManifests } from '../serving/manifest-signatures.ts';
import { dynamodb } from './stores.ts';

/** The key's id is asked for when something is signed: most functions only read. */
export const signingKms = () =>
  new SignedKms({
    ...{ region: config.region, endpoint: config.endpoint('KMS') },
    keyId: () => config.signingKeyId,
  });

export const signingKeys = () => new SigningKeys(dynamodb().own, config.servingTable);

/** Of what is served: as the stage has it, versions without a signature are let through. */
export const manifestSignatures = () => {
  const keys = signingKeys();
  return new SignedManifests({
    publicKey: (keyId) => keys.publicKey(keyId),
    unsigned: config.unsignedModels,
  });
};

/** Of what is registered: every new version is signed. */
export const newManifestSignatures = () => {
  const keys = signingKeys();
  return new SignedManifests({ publicKey: (keyId) => keys.publicKey(keyId) });
};
