/** A compiled graph: steps over blocks of rows, in scratch memory that all graphs of a thread share. */
import { PredictionError } from '../../errors.ts';
import { OPSETS } from '../../ml/onnx/onnx-versions.ts';
import type { OnnxModel, OnnxValue } from '../../ml/onnx/read/onnx-model.ts';
import type { FeatureBatch, FeatureValues } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';
import { elementwiseOperators } from './elementwise.ts';
import { GraphCompiler, type PlanInput } from './graph-compiler.ts';
import type { Block, Rows, Step } from './graph-value.ts';
import { labelOperators } from './label-encoder.ts';
import { NotSupported } from './not-supported.ts';
import { rowOperators } from './row-operators.ts';
import { treeOperators } from './tree-operator.ts';

const operators = { ...elementwiseOperators, ...rowOperators, ...labelOperators, ...treeOperators };

/** A block's numbers should stay in the second-level cache. */
const BLOCK_NUMBERS = 2 ** 15;
const MOST_BLOCK_ROWS = 256;
const LEAST_BLOCK_ROWS = 8;
/** Room behind the last tree of a walk by fours. */
const SPARE_LEAVES = 3;

/** Grows to what the largest graph needs; a run is synchronous, so that one is enough. */
export class GraphScratch implements Block {
  numbers = new Float64Array();
  ranks = new Int32Array();
  leaves = new Int32Array();
  capacity = 0;
  nRows = 0;
  firstRow = 0;
  feeds: readonly FeatureValues[] = [];

  reserve(nNumbers: number, nRanks: number, nLeaves: number): void {
    if (this.numbers.length < nNumbers) this.numbers = new Float64Array(nNumbers);
    if (this.ranks.length < nRanks) this.ranks = new Int32Array(nRanks);
    if (this.leaves.length < nLeaves) this.leaves = new Int32Array(nLeaves);
  }
}

export class GraphPlan {
  readonly keptBytes: number;
  readonly #steps: readonly Step[];
  readonly #inputs: readonly PlanInput[];
  /** Where each input was among the features of the last batch: it is there again. */
  readonly #positions: Int32Array;
  readonly #feeds: FeatureValues[];
  readonly #result: Rows;
  readonly #output: 'values' | 'probabilities';
  readonly #numbersPerRow: number;
  readonly #rankColumns: number;
  readonly #nTrees: number;
  readonly #blockRows: number;

  constructor(graph: GraphCompiler, result: Rows, output: 'values' | 'probabilities') {
    this.keptBytes = graph.keptBytes;
    this.#steps = graph.steps;
    this.#inputs = graph.inputs;
    this.#positions = new Int32Array(graph.inputs.length);
    this.#feeds = new Array<FeatureValues>(graph.inputs.length);
    this.#result = result;
    this.#output = output;
    this.#numbersPerRow = graph.numbersPerRow;
    this.#rankColumns = graph.rankColumns;
    this.#nTrees = graph.nTrees;
    const rows = Math.floor(BLOCK_NUMBERS / Math.max(graph.numbersPerRow, 1)) & ~3;
    this.#blockRows = Math.min(MOST_BLOCK_ROWS, Math.max(LEAST_BLOCK_ROWS, rows));
  }

  run({ features, nRows }: FeatureBatch, scratch: GraphScratch): GraphOutput {
    this.#bind(features);
    const { width, start } = this.#result;
    const output = new Float32Array(nRows * width);
    const capacity = Math.min(nRows, this.#blockRows);
    scratch.reserve(
      capacity * this.#numbersPerRow,
      capacity * this.#rankColumns,
      Math.max(capacity, this.#nTrees + SPARE_LEAVES),
    );
    scratch.feeds = this.#feeds;
    scratch.capacity = capacity;
    const { numbers } = scratch;
    for (let first = 0; first < nRows; first += capacity) {
      scratch.firstRow = first;
      scratch.nRows = Math.min(capacity, nRows - first);
      for (const step of this.#steps) step(scratch);
      const from = start * capacity;
      const to = first * width;
      const count = scratch.nRows * width;
      for (let i = 0; i < count; i++) output[to + i] = numbers[from + i]!;
    }
    scratch.feeds = [];
    return this.#output === 'values' ? { values: output } : { probabilities: output };
  }

  #bind(features: readonly FeatureValues[]): void {
    for (let i = 0; i < this.#inputs.length; i++) {
      const { name, kind } = this.#inputs[i]!;
      let found = features[this.#positions[i]!];
      if (found?.input !== name) {
        const position = features.findIndex(({ input }) => input === name);
        found = features[position];
        this.#positions[i] = position;
      }
      if (found?.kind !== kind)
        throw new PredictionError(
          'MODEL_INPUT_MISSING',
          `the graph needs ${kind} values for its input "${name}"`,
        );
      this.#feeds[i] = found;
    }
  }
}

/**
 * @throws {NotSupported} when the graph holds anything that is not known for certain
 * @throws {ModelDamagedError}
 */
export function compileGraph(model: OnnxModel): GraphPlan {
  for (const [domain, version] of model.opsets)
    if (!Object.hasOwn(OPSETS, domain) || OPSETS[domain as keyof typeof OPSETS] !== version)
      throw new NotSupported(`version ${version} of the operators of ${domain}`);
  const { graph, nFunctions } = model;
  if (nFunctions > 0 || graph.nSparseInitializers > 0) throw new NotSupported('functions or sparse tensors');
  const named = (name: string) => graph.outputs.find((output) => output.name === name);
  const probabilities = named('probabilities');
  const output = probabilities ?? named('prediction');
  if (output === undefined) throw new NotSupported('no output "prediction" or "probabilities"');
  const compiler = new GraphCompiler(graph);
  const result = compiler.compile(output.name, operators);
  requireDeclared(output, result);
  const plan = new GraphPlan(compiler, result, probabilities === undefined ? 'values' : 'probabilities');
  compiler.close();
  return plan;
}

function requireDeclared({ kind, elementType, shape }: OnnxValue, result: Rows): void {
  const isTyped = kind === 'tensor' && elementType === 1 && result.type === 'float';
  const isShaped = shape?.length === 2 && typeof shape[0] !== 'number' && shape[1] === result.width;
  if (!isTyped || !isShaped || result.tail.length !== 1) throw new NotSupported('an output of another kind');
}
