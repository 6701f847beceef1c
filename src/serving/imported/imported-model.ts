import type { ClassLabel, FeatureSpec, ModelManifest } from '../../contracts/models.ts';
import { PredictionError, ValidationError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { type FeatureBatch, isMissing } from '../feature-batch.ts';
import { InvalidInputError } from '../input-rows.ts';
import type { GraphOutput } from '../model-executor.ts';
import { ArtifactDamagedError, type ArtifactRefusedError, type ServedModel } from '../served-model.ts';
import type { ServingVariant } from '../serving-pointer.ts';
import { ImportedEnvironmentError, type ImportedGraphs, ImportedModelError } from './imported-graphs.ts';
import { type ImportedAnswer, type ImportedCall, receivedOutput, sentRows } from './imported-message.ts';

/** Lambda hands on 6 MB at most; the rest is room for the description of the graph. */
const maxMessageBytes = 5_500_000;
/** What numbers of one message may take, before they are written as base64. */
const numberBytes = 3_500_000;
/** What the function has for the tensors of a call, beside the graph. */
const tensorBytes = 512 * 1024 * 1024;
/** Links are made for longer than they are used. */
const linkForMs = 10 * 60_000;

/** A graph that was brought: its manifest is here, and it runs in the environments of its tenant. */
export class ImportedModel implements ServedModel {
  readonly executor = 'imported';
  readonly residentBytes: number;
  readonly manifest: ModelManifest;
  readonly #graphs: ImportedGraphs;
  readonly #tenant: TenantContext;
  readonly #variant: ServingVariant;
  readonly #onRefused: ((error: ArtifactRefusedError) => void) | undefined;
  #link: { readonly url: string; readonly untilMs: number } | undefined;

  constructor(
    manifest: ModelManifest,
    manifestBytes: number,
    at: {
      graphs: ImportedGraphs;
      tenant: TenantContext;
      variant: ServingVariant;
      /** Told when the graph, which is read where it runs, is not the one that was registered. */
      onRefused?: ((error: ArtifactRefusedError) => void) | undefined;
    },
  ) {
    this.manifest = manifest;
    this.residentBytes = 4 * manifestBytes;
    this.#graphs = at.graphs;
    this.#tenant = at.tenant;
    this.#variant = at.variant;
    this.#onRefused = at.onRefused;
  }

  /** Brings the graph into the memory of an environment, and predicts nothing. */
  async ready(): Promise<void> {
    await this.#call({ kind: 'load' });
  }

  async run(batch: FeatureBatch): Promise<GraphOutput> {
    const { features, imported } = this.manifest;
    if (!imported!.accepts_missing) refuseMissing(features, batch);
    const nOutputs = Math.max(1, this.manifest.classes?.length ?? 1);
    const rowsAtOnce = Math.max(
      1,
      Math.min(
        Math.floor(tensorBytes / Math.max(1, imported!.bytes_per_row)),
        Math.floor(numberBytes / (8 * Math.max(features.length, nOutputs))),
      ),
    );
    const { rowsWithinMs = Number.POSITIVE_INFINITY } = this.#graphs;
    const untilMs = performance.now() + rowsWithinMs;
    const outputs: GraphOutput[] = [];
    for (let from = 0; from < batch.nRows; from += rowsAtOnce) {
      const rows = sentRows(batch, from, Math.min(batch.nRows, from + rowsAtOnce));
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0)
        throw new ImportedEnvironmentError('IMPORTED_MODEL_TIMED_OUT', 'no time is left for all rows');
      const answer = await this.#call({ kind: 'predict', rows }, leftMs);
      if (answer.output === undefined) throw new ImportedModelError('it gave no output');
      outputs.push(this.#named(receivedOutput(answer.output)));
    }
    return outputs.length === 1 ? outputs[0]! : joined(outputs);
  }

  async release(): Promise<void> {}

  async #call(
    work: Pick<ImportedCall, 'kind' | 'rows'>,
    leftMs?: number,
  ): Promise<Extract<ImportedAnswer, { readonly ok: true }>> {
    const { artifact_sha256: sha256, artifact_bytes: bytes, version } = this.#variant;
    const call: ImportedCall = {
      ...work,
      artifact: { url: await this.#url(), sha256, bytes },
      graph: this.manifest.imported!,
    };
    const size = work.rows?.columns.reduce((sum, { data }) => sum + sizeOf(data), 0) ?? 0;
    if (size > maxMessageBytes) {
      throw new ValidationError(
        `the rows take ${size} bytes on their way to the imported graph, and ${maxMessageBytes} fit; send fewer at a time`,
        { code: 'PAYLOAD_TOO_LARGE' },
      );
    }
    const answer = await this.#graphs.call(this.#tenant, call, leftMs);
    if (answer.ok) return answer;
    if (answer.code === 'ARTIFACT_DAMAGED') {
      const damaged = new ArtifactDamagedError(this.manifest.model_name, version);
      this.#onRefused?.(damaged);
      throw damaged;
    }
    if (answer.code === 'STORE_UNAVAILABLE') throw new PredictionError(answer.code, answer.message);
    if (answer.code === 'INVALID_INPUT') throw new InvalidInputError(answer.message);
    throw new ImportedModelError(answer.message);
  }

  async #url(): Promise<string> {
    const nowMs = performance.now();
    if (this.#link === undefined || nowMs >= this.#link.untilMs) {
      const url = await this.#graphs.link(this.#tenant, this.#variant.artifact_key);
      this.#link = { url, untilMs: nowMs + linkForMs };
    }
    return this.#link.url;
  }

  /** Labels by the names that were given at the import. */
  #named(output: GraphOutput): GraphOutput {
    const { classes, imported } = this.manifest;
    const { labels } = output;
    if (labels === undefined || classes === undefined) return output;
    const own = imported!.graph_classes;
    const name = (label: ClassLabel): ClassLabel => {
      const at =
        own === undefined ? (classes.includes(label) ? -1 : Number(label)) : own.indexOf(label as never);
      return classes[at] ?? label;
    };
    return { ...output, labels: labels.map(name) };
  }
}

const sizeOf = (data: string | readonly string[]): number =>
  typeof data === 'string' ? data.length : data.reduce((sum, text) => sum + Buffer.byteLength(text) + 3, 0);

/** A missing value is one that the graph gives no finite prediction for: better said than predicted. */
function refuseMissing(features: readonly FeatureSpec[], batch: FeatureBatch): void {
  for (const [j, values] of batch.features.entries()) {
    let row = 0;
    while (row < batch.nRows && !isMissing(values, row)) row++;
    if (row === batch.nRows) continue;
    const { name } = features[j]!;
    throw new InvalidInputError(
      `row ${row}: ${name} is missing, and the imported graph takes no missing values; send a value, or import a graph that imputes`,
      [{ pointer: `/${row}/${name}`, detail: 'must be there' }],
    );
  }
}

function joined(outputs: readonly GraphOutput[]): GraphOutput {
  const floats = (name: 'values' | 'probabilities') => {
    const parts = outputs.map((output) => output[name]!);
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
  const [first] = outputs;
  return {
    ...(first?.values === undefined ? {} : { values: floats('values') }),
    ...(first?.probabilities === undefined ? {} : { probabilities: floats('probabilities') }),
    ...(first?.labels === undefined ? {} : { labels: outputs.flatMap(({ labels }) => labels!) }),
  };
}
