/** One walk through the graph, which finds out the type and shape of everything in it, and what rows will take. */
import { AttributeType, type OnnxModel, type OnnxNode, type OnnxValue } from '../read/onnx-model.ts';
import { requireTensor } from './check-tensor.ts';
import { classicalOperators, textOperators } from './infer-classical.ts';
import { standardOperators } from './infer-standard.ts';
import { MAX_ELEMENTS_PER_ROW, MAX_MADE_ELEMENTS, MAX_RANK, MAX_TOTAL_ELEMENTS_PER_ROW } from './limits.ts';
import { notAllowed, Refused, tooLarge } from './refusal.ts';
import { BATCH, constantDim, elementsOf, invalid, type Shape, shown } from './shape.ts';
import { factsOfTensor, type Infer, NodeView, typeNames, type ValueFacts } from './value-facts.ts';

export const operators: Readonly<Record<string, Readonly<Record<string, Infer>>>> = {
  'ai.onnx': { ...standardOperators, ...textOperators },
  'ai.onnx.ml': classicalOperators,
};

export interface Walk {
  readonly facts: ReadonlyMap<string, ValueFacts>;
  /** Inputs that a caller has to feed. */
  readonly inputs: readonly string[];
  readonly elementsPerRow: number;
}

/** Node by node in their order, which ONNX wants to be one of making before using. */
export function walkGraph({ graph, opsets }: OnnxModel): Walk {
  const facts = new Map<string, ValueFacts>();
  const define = (name: string, value: ValueFacts) => {
    if (facts.has(name)) throw invalid(`"${name}"`, 'two things have this name');
    facts.set(name, value);
  };
  for (const tensor of graph.initializers) define(tensor.name, factsOfTensor(tensor));
  const initialized = new Set(facts.keys());
  const inputs = graph.inputs.filter(({ name }) => !initialized.has(name));
  if (inputs.length === 0) throw invalid('the graph', 'it has no input to feed rows to');
  for (const input of inputs) define(input.name, factsOfInput(input));
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const budget = new SizeBudget();
  for (const { name } of inputs) budget.take(facts.get(name)!.shape, `input "${name}"`);
  for (const node of graph.nodes) {
    const view = new NodeView(node, inputsOf(node, facts, made), opsets.get(node.domain)!);
    const results = inferOf(node)(view);
    node.outputs.forEach((name, i) => {
      if (name === '') return;
      const result = results[i];
      if (result === undefined)
        throw notAllowed(`${view.where} has ${node.outputs.length} outputs`, 'export again');
      if (result.shape.length > MAX_RANK)
        throw tooLarge(view.where, result.shape.length, MAX_RANK, 'dimensions');
      if (result.tensor === undefined) budget.take(result.shape, view.where);
      define(name, result);
    });
  }
  for (const { name } of graph.outputs)
    if (!facts.has(name)) throw invalid(`output "${name}"`, 'no node makes it');
  return { facts, inputs: inputs.map(({ name }) => name), elementsPerRow: budget.elementsPerRow };
}

function inputsOf(
  { inputs, opType }: OnnxNode,
  facts: ReadonlyMap<string, ValueFacts>,
  made: ReadonlySet<string>,
): (ValueFacts | undefined)[] {
  return inputs.map((name) => {
    if (name === '') return undefined;
    const value = facts.get(name);
    if (value === undefined)
      throw invalid(
        opType,
        made.has(name)
          ? `"${name}" is used before it is made: the graph has a cycle`
          : `nobody makes "${name}"`,
      );
    return value;
  });
}

/** Graphs, and lists of tensors and graphs, are none of them. */
const attributeTypes = new Set<number>(
  Object.values(AttributeType).filter((type) => type !== AttributeType.graph),
);

function inferOf(node: OnnxNode): Infer {
  const table = operators[node.domain]!;
  const infer = Object.hasOwn(table, node.opType) ? table[node.opType] : undefined;
  const seen = new Set<string>();
  for (const { name, type, hasOther, tensor } of node.attributes) {
    if (seen.has(name)) throw invalid(node.opType, `attribute ${name} is there twice`);
    seen.add(name);
    if (hasOther)
      throw notAllowed(
        `attribute ${name} of ${node.opType} holds a graph, or something else that is not read`,
        'export a model without loops and branches',
      );
    if (!attributeTypes.has(type)) throw invalid(node.opType, `attribute ${name} has the type ${type}`);
    if (tensor !== undefined) requireTensor(tensor);
  }
  if (infer === undefined)
    throw notAllowed(
      `operator ${node.opType} of ${node.domain} is not on the list`,
      'export a model of the classical kind; what its operators may be is in the documentation',
    );
  return infer;
}

/** Inputs that rows can be: [N, …], all other sizes known. */
function factsOfInput({ name, kind, elementType, shape }: OnnxValue): ValueFacts {
  const where = `input "${name}"`;
  if (kind !== 'tensor' || shape === undefined)
    throw new Refused(
      'ONNX_SIGNATURE_NOT_SUPPORTED',
      `${where} is no tensor of known rank`,
      'export with tensor inputs',
    );
  if (typeNames[elementType] === undefined)
    throw invalid(where, `the element type ${elementType} is not taken`);
  if (shape.length === 0 || shape.length > MAX_RANK) throw invalid(where, 'it has no rows');
  const dims = shape.map((size, i) => {
    if (typeof size === 'number') {
      if (!Number.isSafeInteger(size) || size < (i === 0 ? -1 : 1))
        throw invalid(where, `a dimension is ${size}`);
      // Written so by some for "any".
      return i === 0 && size <= 0 ? BATCH : constantDim(size);
    }
    if (i === 0) return BATCH;
    throw new Refused(
      'ONNX_SIGNATURE_NOT_SUPPORTED',
      `${where} does not say how many columns it has`,
      'give the number of features when exporting: FloatTensorType([None, N_FEATURES]) in skl2onnx and onnxmltools; only dimension 0 in dynamic_axes of torch.onnx.export',
    );
  });
  return { elementType, shape: dims };
}

/** Adds up what the tensors take, and stops before it is too much. */
class SizeBudget {
  elementsPerRow = 0;
  #made = 0;

  take(shape: Shape, where: string): void {
    const { size, power } = elementsOf(shape);
    if (power > 1)
      throw new Refused(
        'ONNX_TOO_LARGE',
        `${where} makes a tensor ${shown(shape)}, which grows with the square of the rows`,
        'export a model that treats every row by itself',
      );
    if (power === 1) {
      if (size > MAX_ELEMENTS_PER_ROW)
        throw tooLarge(`${where}, ${shown(shape)},`, size, MAX_ELEMENTS_PER_ROW, 'numbers a row');
      this.elementsPerRow += size;
      if (this.elementsPerRow > MAX_TOTAL_ELEMENTS_PER_ROW)
        throw tooLarge('the graph', this.elementsPerRow, MAX_TOTAL_ELEMENTS_PER_ROW, 'numbers a row');
      return;
    }
    this.#made += size;
    if (this.#made > MAX_MADE_ELEMENTS)
      throw tooLarge(
        `the graph, with ${where} ${shown(shape)},`,
        this.#made,
        MAX_MADE_ELEMENTS,
        'numbers apart from rows',
      );
  }
}
