/** What the graph of an algorithm is made of: found by fitting one to a table of every type, not by knowing. */
import { fromBinary } from '@bufbuild/protobuf';
import { type Explanation, explain } from '../src/ml/explain/explain.ts';
import { exportOnnx } from '../src/ml/onnx/export-onnx.ts';
import { ModelProtoSchema } from '../src/ml/onnx/generated/onnx_pb.ts';
import { fitPipeline, type PipelineModel, type Task } from '../src/ml/pipeline.ts';
import { type Column, categoryColumn, createTable, type Table } from '../src/ml/table.ts';

export interface GraphFacts {
  readonly target: 'number' | 'two classes' | 'more classes';
  /** Of ai.onnx.ml first, each alphabetical. */
  readonly operators: readonly string[];
  readonly scale: Explanation['scale'];
}

/** One entry per kind of target that the tasks allow. */
export function graphFactsOf(algorithm: string, tasks: readonly Task[]): GraphFacts[] {
  return tasks.flatMap((task) =>
    (task === 'regression' ? (['number'] as const) : (['two classes', 'more classes'] as const)).map(
      (target): GraphFacts => {
        const table = sampleTable(target);
        const model = fitted(table, algorithm, task);
        return { target, operators: operatorsOf(model), scale: explain(model, table).scale };
      },
    ),
  );
}

const N_ROWS = 240;

function sampleTable(target: GraphFacts['target']): Table {
  const each = (value: (row: number) => number) =>
    Float64Array.from({ length: N_ROWS }, (_, row) => value(row));
  const column = (
    name: string,
    type: 'number' | 'boolean' | 'date',
    value: (row: number) => number,
  ): Column => ({
    name,
    type,
    values: each((row) => (row % 13 === 7 ? Number.NaN : value(row))),
  });
  const texts = Array.from({ length: N_ROWS }, (_, row) => (row % 11 === 5 ? null : 'abc'[(row * 7) % 3]!));
  const score = (row: number) =>
    ((row * 37) % 101) / 100 + ((row * 7) % 3) / 3 + (row % 2) / 2 + row / N_ROWS;
  const y = each((row) =>
    target === 'number' ? score(row) : Math.min(target === 'two classes' ? 1 : 2, Math.floor(score(row))),
  );
  return createTable([
    column('number', 'number', (row) => (row * 37) % 101),
    column('boolean', 'boolean', (row) => row % 2),
    column('date', 'date', (row) => Date.UTC(2024, row % 24, 1 + (row % 28), row % 24)),
    categoryColumn('category', texts),
    { name: 'y', type: 'number', values: y },
  ]);
}

function fitted(table: Table, algorithm: string, task: Task): PipelineModel {
  const result = fitPipeline(table, { task, target: 'y', algorithm, hyperparameters: {}, randomState: 0 });
  if (!result.done) throw new Error(`${algorithm} paused without being asked`);
  return result.model;
}

function operatorsOf(model: PipelineModel): string[] {
  const { graph } = fromBinary(ModelProtoSchema, exportOnnx(model));
  const names = (domain: string) =>
    [...new Set(graph!.node.filter((node) => node.domain === domain).map(({ opType }) => opType))].sort();
  return [...names('ai.onnx.ml'), ...names('')];
}
