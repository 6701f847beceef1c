/**
 * Looks at an ONNX file that somebody brought, without running anything: refuses what cannot be served safely, with a
 * code, a reason and a remedy, and says of the rest what it takes and gives. Sizes are found out before any row comes:
 * every tensor has a shape in terms of N, the number of rows, and none may grow faster than N.
 */
import { ModelDamagedError } from '../read/model-damaged-error.ts';
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from '../read/onnx-model.ts';
import { readModel } from '../read/read-model.ts';
import { requireTensor } from './check-tensor.ts';
import { HOW_TO_EXPORT, refuseKnownFormat } from './file-kind.ts';
import type { InspectedValue, Inspection } from './inspection.ts';
import { IR_RANGE, MAX_FILE_BYTES, MAX_INPUTS, MAX_NODES, MAX_OUTPUTS, OPSET_RANGES } from './limits.ts';
import { notAllowed, type Refusal, Refused, tooLarge } from './refusal.ts';
import { areEqual, type Dim, invalid, shown, toNumbers } from './shape.ts';
import { signatureOf } from './signature.ts';
import { typeNames, type ValueFacts } from './value-facts.ts';
import { operators, walkGraph } from './walk-graph.ts';

/** Resident memory of a session over its file's bytes (measured 5 to 6), and what any session takes. */
const RESIDENT_FACTOR = 6;
const RESIDENT_BASE_BYTES = 512 * 1024;
const BYTES_PER_ELEMENT = 8;

export function inspectModel(bytes: Uint8Array): Inspection | Refusal {
  try {
    return inspected(bytes);
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    if (error instanceof ModelDamagedError) return damaged(bytes, error);
    throw error;
  }
}

function damaged(bytes: Uint8Array, error: ModelDamagedError): Refusal {
  const reason = String(error.evidence.reason);
  // Every model begins with the version of the format, or with its graph or producer.
  const looksLikeOnnx = [0x08, 0x12, 0x1a, 0x3a, 0x42].includes(bytes[0]!);
  return looksLikeOnnx
    ? new Refused('ONNX_DAMAGED', reason, 'upload the file again, whole; if it stays so, export it again')
        .refusal
    : new Refused('MODEL_FORMAT_UNKNOWN', 'the file is no ONNX model', HOW_TO_EXPORT).refusal;
}

function inspected(bytes: Uint8Array): Inspection {
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge('the file', bytes.length, MAX_FILE_BYTES, 'bytes');
  const known = refuseKnownFormat(bytes);
  if (known !== undefined) return throwRefusal(known);
  const model = readModel(bytes);
  const { graph } = model;
  requireVersions(model);
  requireSizes(model);
  for (const tensor of graph.initializers) requireTensor(tensor);
  const walk = walkGraph(model);
  const facts = (name: string) => walk.facts.get(name)!;
  const rows = rowsOfInputs(walk.inputs.map(facts));
  const outputs = graph.outputs.map((output) => inspectedOutput(output, facts(output.name), rows));
  const inputs = walk.inputs.map((name) => inspectedValue(name, facts(name)));
  return {
    kind: 'accepted',
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    irVersion: model.irVersion,
    opsets: Object.fromEntries(model.opsets),
    ...{ inputs, outputs },
    operators: histogram(graph.nodes),
    parameterBytes: parameterBytes(model),
    residentBytes: bytes.length * RESIDENT_FACTOR + RESIDENT_BASE_BYTES,
    bytesPerRow: walk.elementsPerRow * BYTES_PER_ELEMENT,
    metadata: Object.fromEntries(model.metadata),
    signature: signatureOf(graph, inputs, outputs),
  };
}

function throwRefusal({ code, reason, remedy }: Refusal): never {
  throw new Refused(code, reason, remedy);
}

function requireVersions({ irVersion, opsets, nFunctions, graph }: OnnxModel): void {
  const [leastIr, mostIr] = IR_RANGE;
  if (!(irVersion >= leastIr && irVersion <= mostIr))
    throw version(`the format has version ${irVersion}`, leastIr, mostIr);
  for (const [domain, opset] of opsets) {
    const range = OPSET_RANGES[domain];
    // A domain may be imported and not used; its operators are refused where they are.
    if (range === undefined) continue;
    const [least, most] = range;
    if (!(opset >= least && opset <= most)) throw version(`${domain} has version ${opset}`, least, most);
  }
  if (nFunctions > 0)
    throw notAllowed(
      'the model defines functions of its own',
      'export without functions: torch.onnx.export with dynamo=False',
    );
  for (const node of graph.nodes) {
    if (operators[node.domain] === undefined)
      throw notAllowed(
        `operator ${node.opType} is of the domain "${node.domain}"`,
        'use operators of ai.onnx and ai.onnx.ml only',
      );
    if (!opsets.has(node.domain))
      throw invalid(`${node.opType}`, `the model does not import the operators of ${node.domain}`);
  }
}

function version(what: string, least: number, most: number): Refused {
  return new Refused(
    'ONNX_VERSION_NOT_SUPPORTED',
    `${what}, and ${least} to ${most} are supported`,
    'export with target_opset=17 (skl2onnx, onnxmltools) or opset_version=17 (torch.onnx.export)',
  );
}

function requireSizes({ graph }: OnnxModel): void {
  const { nodes, inputs, outputs } = graph;
  if (nodes.length > MAX_NODES) throw tooLarge('the graph', nodes.length, MAX_NODES, 'nodes');
  if (inputs.length > MAX_INPUTS) throw tooLarge('the graph', inputs.length, MAX_INPUTS, 'inputs');
  if (outputs.length > MAX_OUTPUTS) throw tooLarge('the graph', outputs.length, MAX_OUTPUTS, 'outputs');
  if (nodes.length === 0) throw invalid('the graph', 'it has no nodes');
  if (outputs.length === 0) throw invalid('the graph', 'it has no outputs');
  if (graph.nSparseInitializers > 0) throw notAllowed('weights are sparse tensors', 'export dense weights');
}

/** N, or the one number of rows that the model was exported for. */
function rowsOfInputs(inputs: readonly ValueFacts[]): Dim {
  const rows = inputs[0]!.shape[0]!;
  if (inputs.some(({ shape }) => !areEqual(shape[0]!, rows)))
    throw new Refused(
      'ONNX_SIGNATURE_NOT_SUPPORTED',
      'its inputs have different numbers of rows',
      'let dimension 0 of every input vary when the model is exported',
    );
  return rows;
}

function inspectedOutput(declared: OnnxValue, facts: ValueFacts, rows: Dim): InspectedValue {
  const { name, kind, elementType } = declared;
  if (kind !== 'tensor')
    throw new Refused(
      'ONNX_SIGNATURE_NOT_SUPPORTED',
      `output "${name}" is a ${kind}, not a tensor`,
      'export with options={"zipmap": False} (skl2onnx) or zipmap=False (onnxmltools)',
    );
  if (elementType !== facts.elementType)
    throw invalid(
      `output "${name}"`,
      `it is declared as ${typeNames[elementType] ?? elementType} and made as ${typeNames[facts.elementType] ?? facts.elementType}`,
    );
  const [first, ...rest] = facts.shape;
  if (first === undefined || !areEqual(first, rows) || rest.some(({ power }) => power > 0))
    throw new Refused(
      'ONNX_SIGNATURE_NOT_SUPPORTED',
      `output "${name}" is ${shown(facts.shape)}: not one result for each row`,
      'export a model that treats every row by itself, with rows in dimension 0',
    );
  return inspectedValue(name, facts);
}

function inspectedValue(name: string, { elementType, shape }: ValueFacts): InspectedValue {
  return { name, elementType: typeNames[elementType]!, shape: toNumbers(shape) };
}

function histogram(nodes: readonly OnnxNode[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}

function parameterBytes({ graph }: OnnxModel): number {
  const ofTensor = ({ raw, numbers, strings }: OnnxTensor) =>
    (raw?.length ?? 0) + numbers.byteLength + strings.places.byteLength;
  let bytes = graph.initializers.reduce((sum, tensor) => sum + ofTensor(tensor), 0);
  for (const { attributes } of graph.nodes)
    for (const { floats, ints, strings, tensor } of attributes)
      bytes +=
        floats.byteLength +
        ints.byteLength +
        strings.places.byteLength +
        (tensor === undefined ? 0 : ofTensor(tensor));
  return bytes;
}
