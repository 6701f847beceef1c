import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FeatureSpec } from '../contracts/models.ts';
import type { Explanation } from '../contracts/prediction.ts';
import { ModelLoadError } from '../errors.ts';
import { explain } from '../ml/explain/explain.ts';
import { pipelineFromJSON } from '../ml/pipeline-from-json.ts';
import type { PipelineModel } from '../ml/pipeline-model.ts';
import { type Column, categoryColumn, createTable } from '../ml/table.ts';
import { type FeatureBatch, missingInt64 } from './feature-batch.ts';

/** A model as it was fitted, which knows what its graph does not: how many training rows came by. */
export class Explainer {
  readonly residentBytes: number;
  readonly #model: PipelineModel;

  private constructor(model: PipelineModel, residentBytes: number) {
    this.#model = model;
    this.residentBytes = residentBytes;
  }

  /**
   * @param bytes the gzipped JSON of the fitted model
   * @param jsonBytes its length before that; more is refused
   */
  static async load(bytes: Uint8Array, jsonBytes: number): Promise<Explainer> {
    try {
      const text = await promisify(gunzip)(bytes, { maxOutputLength: jsonBytes });
      return new Explainer(pipelineFromJSON(JSON.parse(text.toString('utf8'))), explainerBytes(jsonBytes));
    } catch (cause) {
      throw new ModelLoadError('the fitted model beside the graph cannot be read', {
        cause,
      });
    }
  }

  explain(features: readonly FeatureSpec[], batch: FeatureBatch): Explanation[] {
    const columns = features.map(({ name, type }, j): Column => {
      const values = batch.features[j]!;
      if (values.kind === 'string')
        return categoryColumn(
          name,
          values.data.map((text) => (text === '' ? null : text)),
        );
      const numbers =
        values.kind === 'float32'
          ? Float64Array.from(values.data)
          : Float64Array.from(values.data, (ms) => (ms === missingInt64 ? Number.NaN : Number(ms)));
      return { name, type: type as 'number' | 'boolean' | 'date', values: numbers };
    });
    const {
      base,
      values,
      nScores,
      nFeatures,
      scale,
      features: names,
    } = explain(this.#model, createTable(columns));
    return Array.from({ length: batch.nRows }, (_, row) => ({
      method: 'shap',
      scale,
      base_values: Array.from(base),
      values: Object.fromEntries(
        names.map((name, j) => [
          name,
          Array.from({ length: nScores }, (__, k) => values[(row * nScores + k) * nFeatures + j]!),
        ]),
      ),
    }));
  }

  async release(): Promise<void> {}
}

/** What a fitted model takes in memory, from the length of its JSON: mostly arrays of numbers, written in digits. */
export const explainerBytes = (jsonBytes: number): number => jsonBytes * 2 + 64 * 1024;
