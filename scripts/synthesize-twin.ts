/** Synthesizes what the twin runs, so that its first start finds it: a step of `twin.Dockerfile`. */
import { synthesize } from '../local/synthesis.ts';

const { release } = await synthesize(() => {});
release();
