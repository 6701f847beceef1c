/** Reads `…/infer`: the JSON part, and the binary tensors behind it. */
import { ValidationError } from '../../../errors.ts';
import { parseJson, textOf } from '../../http/message-body.ts';
import { type Datatype, type Elements, isDatatype, MalformedTensorError, readElements } from './datatype.ts';

/** One input as it was sent. */
export interface InputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Row-major; as many as the shape says. */
  readonly data: Elements;
}

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: readonly InputTensor[];
  /** Those wanted, in order; all when left out. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[] | undefined;
  /** Whether outputs that say nothing of it are wanted in binary. */
  readonly binaryOutput: boolean;
  /** Of the request. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A request that does not follow the protocol. */
export class MalformedInferError extends ValidationError {
  constructor(pointer: string, rule: string) {
    super(`${pointer}: ${rule}`, {
      code: 'INVALID_INPUT',
      errors: [{ pointer: `/${pointer}`, detail: rule }],
    });
  }
}

const maxInputs = 10_000;
/** No graph that is served has more. */
const maxOutputs = 64;
const maxRank = 8;

type Fields = Record<string, unknown>;
/** Clients that write whole objects send null for what they leave out. */
const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param headerLength `Inference-Header-Content-Length`: bytes of JSON before the binary tensors
 * @throws {MalformedInferError}
 * @throws {ValidationError} INVALID_JSON, INVALID_ENCODING
 */
export function inferRequest(body: string | Uint8Array, headerLength: string | undefined): InferRequest {
  const { head, tail } = partsOf(body, headerLength);
  const message = parseJson(textOf(head));
  if (!isFields(message)) throw new MalformedInferError('body', 'must be an object with inputs');
  const { id, inputs, outputs, parameters } = message;
  if (!isAbsent(id) && typeof id !== 'string') throw new MalformedInferError('id', 'must be text');
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > maxInputs)
    throw new MalformedInferError('inputs', `must be a list of 1 to ${maxInputs} tensors`);
  const binary = new BinaryTail(tail);
  const tensors = inputs.map((one, i) => inputTensor(one, `inputs/${i}`, binary));
  if (binary.rest > 0)
    throw new MalformedInferError(
      'inputs',
      `${binary.rest} bytes follow the last binary tensor; binary_data_size must add up to the body`,
    );
  const names = new Set(tensors.map(({ name }) => name));
  if (names.size < tensors.length) throw new MalformedInferError('inputs', 'two tensors have the same name');
  const ofRequest = isFields(parameters) ? parameters : {};
  checkContentType(ofRequest.content_type, 'parameters');
  const binaryOutput = ofRequest.binary_data_output === true;
  return {
    id: isAbsent(id) ? undefined : id,
    inputs: tensors,
    outputs: isAbsent(outputs) ? undefined : outputsOf(outputs, binaryOutput),
    binaryOutput,
    parameters: ofRequest,
  };
}

function partsOf(body: string | Uint8Array, headerLength: string | undefined) {
  if (headerLength === undefined) return { head: body, tail: new Uint8Array() };
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const length = Number(headerLength);
  if (!/^\d+$/.test(headerLength) || length > bytes.byteLength) {
    throw new MalformedInferError(
      'Inference-Header-Content-Length',
      `must be the bytes of JSON in a body of ${bytes.byteLength} bytes`,
    );
  }
  return { head: bytes.subarray(0, length), tail: bytes.subarray(length) };
}

/** The binary tensors, in the order of the inputs that have one. */
class BinaryTail {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.byteLength - this.#at;
  }

  take(size: number, at: string): Uint8Array {
    if (size > this.rest) {
      throw new MalformedInferError(
        `${at}/parameters/binary_data_size`,
        `${size} bytes are announced and ${this.rest} are left; send them behind the JSON part, whose length is in Inference-Header-Content-Length`,
      );
    }
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

function inputTensor(sent: unknown, at: string, binary: BinaryTail): InputTensor {
  if (!isFields(sent)) throw new MalformedInferError(at, 'must be a tensor');
  const { name, datatype, shape, data, parameters } = sent;
  if (typeof name !== 'string' || name === '') throw new MalformedInferError(`${at}/name`, 'must be text');
  if (!isDatatype(datatype))
    throw new MalformedInferError(
      `${at}/datatype`,
      'must be a datatype of the protocol, such as FP32 or BYTES',
    );
  if (!Array.isArray(shape) || shape.length === 0 || shape.length > maxRank || !shape.every(isSize))
    throw new MalformedInferError(`${at}/shape`, `must be 1 to ${maxRank} whole numbers`);
  const nElements = shape.reduce((product: number, size: number) => product * size, 1);
  if (isFields(parameters)) checkContentType(parameters.content_type, `${at}/parameters`);
  const binarySize = isFields(parameters) ? parameters.binary_data_size : undefined;
  if (!isAbsent(binarySize)) {
    if (!isSize(binarySize))
      throw new MalformedInferError(`${at}/parameters/binary_data_size`, 'must be a whole number');
    if (!isAbsent(data)) throw new MalformedInferError(at, 'has data and binary_data_size; send one of them');
    try {
      return { name, datatype, shape, data: readElements(binary.take(binarySize, at), datatype, nElements) };
    } catch (error) {
      if (error instanceof MalformedTensorError) throw new MalformedInferError(at, error.message);
      throw error;
    }
  }
  if (!Array.isArray(data)) throw new MalformedInferError(`${at}/data`, 'must be a list, nested or flat');
  if (datatype === 'BF16')
    throw new MalformedInferError(`${at}/data`, 'BF16 has no JSON form; send it in binary');
  const flat = flattened(data, shape.length, at);
  if (flat.length !== nElements) {
    throw new MalformedInferError(
      `${at}/data`,
      `has ${flat.length} elements, the shape [${shape}] has ${nElements}`,
    );
  }
  return { name, datatype, shape, data: flat };
}

/**
 * What MLServer's clients say about tensors: arrays, the columns of a data frame, texts, times. The feature that a tensor
 * goes into says the same here. What would be read as something else is refused.
 */
const contentTypes: readonly unknown[] = ['np', 'pd', 'str', 'datetime'];

function checkContentType(type: unknown, at: string): void {
  if (!isAbsent(type) && !contentTypes.includes(type))
    throw new MalformedInferError(`${at}/content_type`, `must be one of ${contentTypes.join(', ')}`);
}

const isSize = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) >= 0;

/** @returns the elements in row-major order; lists may lie as deep as the shape has sizes */
function flattened(
  data: readonly unknown[],
  depth: number,
  at: string,
): (number | string | boolean | null)[] {
  if (!data.some(Array.isArray)) return data as (number | string | boolean | null)[];
  if (depth <= 1) throw new MalformedInferError(`${at}/data`, 'is nested deeper than the shape');
  return data.flatMap((one) => {
    if (!Array.isArray(one)) throw new MalformedInferError(`${at}/data`, 'mixes lists and elements');
    return flattened(one, depth - 1, at);
  });
}

function outputsOf(outputs: unknown, binaryOutput: boolean): { name: string; binary: boolean }[] | undefined {
  if (!Array.isArray(outputs)) throw new MalformedInferError('outputs', 'must be a list');
  if (outputs.length === 0) return undefined;
  if (outputs.length > maxOutputs)
    throw new MalformedInferError('outputs', `must be at most ${maxOutputs} outputs, got ${outputs.length}`);
  const names = new Set<string>();
  return outputs.map((one: unknown, i) => {
    if (!isFields(one) || typeof one.name !== 'string')
      throw new MalformedInferError(`outputs/${i}`, 'must be an object with a name');
    if (names.has(one.name))
      throw new MalformedInferError(`outputs/${i}/name`, 'is asked for twice; name each output once');
    names.add(one.name);
    const binary = isFields(one.parameters) ? one.parameters.binary_data : undefined;
    return { name: one.name, binary: typeof binary === 'boolean' ? binary : binaryOutput };
  });
}
