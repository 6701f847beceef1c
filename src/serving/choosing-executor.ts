import type { TypeScriptExecutor } from './graph/typescript-executor.ts';
import type { LoadedModel, ModelExecutor } from './model-executor.ts';

/** TypeScript runs every graph that it knows for certain; the other executor is asked for the rest, and only then. */
export class ChoosingExecutor implements ModelExecutor {
  readonly #own: TypeScriptExecutor;
  readonly #other: ModelExecutor;

  constructor(own: TypeScriptExecutor, other: ModelExecutor) {
    this.#own = own;
    this.#other = other;
  }

  async load(modelBytes: Uint8Array): Promise<LoadedModel> {
    const own = this.#own.compile(modelBytes);
    return 'unsupported' in own ? await this.#other.load(modelBytes) : own;
  }
}
