/** The graph's outputs: `prediction` for regression, `label` and `probabilities` for classification. */
import type { ClassLabel, PipelineModel } from '../pipeline-model.ts';
import { attribute, BATCH, type GraphBuilder } from './graph-builder.ts';
import { ElementType } from './onnx-versions.ts';

export const LABEL = 'label';
export const PROBABILITIES = 'probabilities';
export const PREDICTION = 'prediction';

export function outputNames(model: PipelineModel): readonly string[] {
  return model.task === 'regression' ? [PREDICTION] : [LABEL, PROBABILITIES];
}

/**
 * Ends the graph.
 * @param scores - double [N, nScores]: the value itself, the log odds of the second class, or one score per class.
 */
export function writeOutputs(graph: GraphBuilder, model: PipelineModel, scores: string): void {
  if (model.classes === undefined) writeValue(graph, scores);
  else if (model.classes.length === 2) writeProbabilities(graph, model.classes, twoClasses(graph, scores));
  else writeProbabilities(graph, model.classes, softmax(graph, scores));
}

/** Ends the graph of a regression. @param value - double [N, 1] */
export function writeValue(graph: GraphBuilder, value: string): void {
  castToFloat(graph, value, PREDICTION);
  graph.output(PREDICTION, ElementType.float, [BATCH, 1]);
}

/** Ends the graph of a classification. @param probabilities - double [N, nClasses] */
export function writeProbabilities(
  graph: GraphBuilder,
  classes: readonly ClassLabel[],
  probabilities: string,
): void {
  castToFloat(graph, probabilities, PROBABILITIES);
  // From the doubles: rounding to float32 must not make a tie of what was none.
  const index = graph.node('ArgMax', [probabilities], {
    attributes: [attribute.int('axis', 1), attribute.int('keepdims', 0)],
  });
  const isText = !classes.every(isInt64);
  const labels = isText
    ? graph.strings(classes.map(String), [classes.length])
    : graph.int64s(
        classes.map((label) => BigInt(Number(label))),
        [classes.length],
      );
  graph.node('Gather', [labels, index], { output: LABEL });
  graph.output(LABEL, isText ? ElementType.string : ElementType.int64, [BATCH]);
  graph.output(PROBABILITIES, ElementType.float, [BATCH, classes.length]);
}

/** Booleans are 0 and 1; a fraction has no int64 and becomes text. */
function isInt64(label: ClassLabel): boolean {
  return typeof label === 'boolean' || (typeof label === 'number' && Number.isSafeInteger(label));
}

function castToFloat(graph: GraphBuilder, value: string, output: string): void {
  graph.node('Cast', [value], { attributes: [attribute.int('to', ElementType.float)], output });
}

function twoClasses(graph: GraphBuilder, scores: string): string {
  const second = graph.node('Sigmoid', [scores]);
  const first = graph.node('Sub', [graph.doubles([1], [1]), second]);
  return graph.node('Concat', [first, second], { attributes: [attribute.int('axis', 1)] });
}

function softmax(graph: GraphBuilder, scores: string): string {
  return graph.node('Softmax', [scores], { attributes: [attribute.int('axis', 1)] });
}
