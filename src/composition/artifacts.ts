import { S3ArtifactStore } from '../adapters/aws/s3-artifact-store.ts';
import { systemClock } from '../clock.ts';
import { signingKms } from './signatures.ts';
import { artifactObjects } from './stores.ts';

export const artifactStore = () => new S3ArtifactStore(artifactObjects(), systemClock, signingKms());
