/** A thousand models of fifty tenants on disk: trees that our learner grew, put together to files of many sizes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportOnnx } from '../src/ml/onnx/export-onnx.ts';
import { fitPipeline } from '../src/ml/pipeline.ts';
import { Random } from '../src/ml/random.ts';
import { createTable, type Table } from '../src/ml/table.ts';
import { BoostingPipelineModel } from '../src/ml/tree/boosting-pipeline.ts';
import type { TreeEnsemble } from '../src/ml/tree/tree.ts';
import type { FeatureBatch } from '../src/serving/feature-batch.ts';

export interface StoredModel {
  readonly tenant: string;
  readonly id: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

const nFeatures = 12;
/** Of the logarithm of the sizes: the 99th percentile is 20 times the median, and 2.326 is its normal quantile. */
const sigma = Math.log(20) / 2.326;
const medianBytes = 200_000;

/** One row, as the models take it. */
export function randomRow(random: Random): FeatureBatch {
  const features = Array.from({ length: nFeatures }, (_, j) => ({
    input: `x${j}`,
    kind: 'float32' as const,
    data: Float32Array.of(random.nextFloat() * 4 - 2),
  }));
  return { nRows: 1, features };
}

/** Exports models of the given sizes, nearly, to a folder, unless they are there already. */
export function writeModels(name: string, sizes: readonly number[], nTenants: number): StoredModel[] {
  const folder = join(tmpdir(), 'tenantml-bench', name);
  const index = join(folder, 'index.json');
  if (existsSync(index)) return JSON.parse(readFileSync(index, 'utf8')) as StoredModel[];
  mkdirSync(folder, { recursive: true });
  const grown = grownTrees();
  const random = new Random(11);
  const few = exportOnnx(withTrees(grown, 10, random)).length;
  const bytesPerTree = (exportOnnx(withTrees(grown, 110, random)).length - few) / 100;
  const models = sizes.map((size, i): StoredModel => {
    const nTrees = Math.max(1, Math.round((size - (few - 10 * bytesPerTree)) / bytesPerTree));
    const bytes = exportOnnx(withTrees(grown, nTrees, random));
    const file = join(folder, `${i}.onnx`);
    writeFileSync(file, bytes);
    return {
      tenant: `tenant-${i % nTenants}`,
      id: `model-${i}`,
      ...{ file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    };
  });
  writeFileSync(index, JSON.stringify(models));
  return models;
}

/** Log-normal: median 200 kB, 99th percentile 4 MB. */
export function logNormalSizes(n: number, random: Random): number[] {
  return Array.from({ length: n }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.nextFloat()));
    return medianBytes * Math.exp(sigma * radius * Math.cos(2 * Math.PI * random.nextFloat()));
  });
}

function grownTrees(): BoostingPipelineModel {
  const fit = fitPipeline(trainingTable(), {
    ...{ task: 'regression', target: 'y', algorithm: 'gradient_boosting', randomState: 1 },
    hyperparameters: { n_estimators: 300, max_leaf_nodes: 31, min_samples_leaf: 5 },
  });
  if (!fit.done || !(fit.model instanceof BoostingPipelineModel))
    throw new Error('boosting gave no boosted trees');
  return fit.model;
}

function trainingTable(nRows = 4_000): Table {
  const random = new Random(3);
  const columns = Array.from({ length: nFeatures }, () =>
    Float64Array.from({ length: nRows }, () => random.nextFloat() * 4 - 2),
  );
  const target = Float64Array.from({ length: nRows }, (_, i) =>
    columns.reduce((sum, values, j) => sum + Math.sin(values[i]! * (j + 1)), random.nextFloat()),
  );
  return createTable([
    ...columns.map((values, j) => ({ name: `x${j}`, type: 'number' as const, values })),
    { name: 'y', type: 'number' as const, values: target },
  ]);
}

/** The same model with trees drawn at random, so that no two files are equal. */
function withTrees(grown: BoostingPipelineModel, nTrees: number, random: Random): BoostingPipelineModel {
  const { task, algorithm, target, features: specs, encoding, boosted } = grown;
  const nGrown = boosted.trees.roots.length - 1;
  const picked = Array.from({ length: nTrees }, () => random.nextInt(nGrown));
  return new BoostingPipelineModel({ task, algorithm, target, specs }, encoding, {
    ...boosted,
    trees: treesAt(boosted.trees, picked),
  });
}

/** @param trees - of numbers only: none tests a set */
function treesAt(trees: TreeEnsemble, picked: readonly number[]): TreeEnsemble {
  const { roots } = trees;
  const nodes: number[] = [];
  const shifts: number[] = [];
  const newRoots = [0];
  for (const tree of picked) {
    const shift = nodes.length - roots[tree]!;
    for (let node = roots[tree]!; node < roots[tree + 1]!; node++) {
      nodes.push(node);
      shifts.push(shift);
    }
    newRoots.push(nodes.length);
  }
  const moved = (children: Int32Array) =>
    Int32Array.from(nodes, (node, i) => (children[node] === 0 ? 0 : children[node]! + shifts[i]!));
  return {
    ...trees,
    roots: Int32Array.from(newRoots),
    feature: Int32Array.from(nodes, (node) => trees.feature[node]!),
    threshold: Float32Array.from(nodes, (node) => trees.threshold[node]!),
    missingLeft: Uint8Array.from(nodes, (node) => trees.missingLeft[node]!),
    left: moved(trees.left),
    right: moved(trees.right),
    set: Int32Array.from(nodes, (node) => trees.set[node]!),
    value: Float32Array.from(nodes, (node) => trees.value[node]!),
    cover: Float32Array.from(nodes, (node) => trees.cover[node]!),
    gain: Float32Array.from(nodes, (node) => trees.gain[node]!),
  };
}
