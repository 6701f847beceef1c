/** ONNX files as other exporters write them, and as nobody should: protobuf by hand, from short descriptions. */
import { field, floatBits, text, varint } from './wire-format.ts';

export interface NodeSketch {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeSketch>>;
  /** Bytes of attributes as they are. */
  readonly raw?: readonly (readonly number[])[];
}

export type AttributeSketch =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly tensor: TensorSketch };

export interface TensorSketch {
  readonly type: number;
  readonly dims: readonly number[];
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly texts?: readonly string[];
  /** More fields, as bytes. */
  readonly more?: readonly number[];
}

export type ValueSketch = readonly [
  name: string,
  type: number,
  shape: readonly (number | string | undefined)[] | undefined,
];

export interface ModelSketch {
  readonly ir?: number;
  readonly opset?: number;
  readonly opsetMl?: number;
  readonly producer?: string;
  readonly nodes: readonly NodeSketch[];
  readonly inputs: readonly ValueSketch[];
  readonly outputs: readonly ValueSketch[];
  readonly initializers?: Readonly<Record<string, TensorSketch>>;
  /** More fields of the graph and of the model, as bytes. */
  readonly moreOfGraph?: readonly number[];
  readonly moreOfModel?: readonly number[];
}

export function onnxFile(model: ModelSketch): Uint8Array {
  const { ir = 8, opset = 17, opsetMl = 3, producer = 'test', nodes, inputs, outputs } = model;
  const graph = [
    ...nodes.flatMap((node) => field(1, 2, nodeBytes(node))),
    ...field(2, 2, text('graph')),
    ...Object.entries(model.initializers ?? {}).flatMap(([name, tensor]) =>
      field(5, 2, [...tensorBytes(tensor), ...field(8, 2, text(name))]),
    ),
    ...inputs.flatMap((value) => field(11, 2, valueBytes(value))),
    ...outputs.flatMap((value) => field(12, 2, valueBytes(value))),
    ...(model.moreOfGraph ?? []),
  ];
  return Uint8Array.from([
    ...field(1, 0, varint(ir)),
    ...field(2, 2, text(producer)),
    ...field(7, 2, graph),
    ...field(8, 2, field(2, 0, varint(opset))),
    ...field(8, 2, [...field(1, 2, text('ai.onnx.ml')), ...field(2, 0, varint(opsetMl))]),
    ...(model.moreOfModel ?? []),
  ]);
}

function nodeBytes({ op, domain = '', inputs, outputs, attributes = {}, raw = [] }: NodeSketch): number[] {
  return [
    ...inputs.flatMap((name) => field(1, 2, text(name))),
    ...outputs.flatMap((name) => field(2, 2, text(name))),
    ...field(4, 2, text(op)),
    ...Object.entries(attributes).flatMap(([name, value]) => field(5, 2, attributeBytes(name, value))),
    ...raw.flatMap((bytes) => field(5, 2, bytes)),
    ...(domain === '' ? [] : field(7, 2, text(domain))),
  ];
}

function attributeBytes(name: string, value: AttributeSketch): number[] {
  const typed = (type: number, content: readonly number[]) => [
    ...field(1, 2, text(name)),
    ...content,
    ...field(20, 0, varint(type)),
  ];
  if ('int' in value) return typed(2, field(3, 0, varint(value.int)));
  if ('float' in value) return typed(1, [...varint(2 * 8 + 5), ...floatBits(value.float)]);
  if ('text' in value) return typed(3, field(4, 2, text(value.text)));
  if ('ints' in value)
    return typed(
      7,
      value.ints.flatMap((one) => field(8, 0, varint(one))),
    );
  if ('floats' in value)
    return typed(
      6,
      value.floats.flatMap((one) => [...varint(7 * 8 + 5), ...floatBits(one)]),
    );
  if ('texts' in value)
    return typed(
      8,
      value.texts.flatMap((one) => field(9, 2, text(one))),
    );
  return typed(4, field(5, 2, tensorBytes(value.tensor)));
}

export function tensorBytes({ type, dims, floats, ints, texts, more = [] }: TensorSketch): number[] {
  return [
    ...dims.flatMap((size) => field(1, 0, varint(size))),
    ...field(2, 0, varint(type)),
    ...(floats === undefined ? [] : field(9, 2, floats.flatMap(floatBits))),
    ...(ints === undefined ? [] : field(7, 2, ints.flatMap(varint))),
    ...(texts ?? []).flatMap((one) => field(6, 2, text(one))),
    ...more,
  ];
}

function valueBytes([name, type, shape]: ValueSketch): number[] {
  const dims = shape?.flatMap((size) =>
    field(
      1,
      2,
      size === undefined
        ? []
        : typeof size === 'number'
          ? field(1, 0, varint(size))
          : field(2, 2, text(size)),
    ),
  );
  const tensor = [...field(1, 0, varint(type)), ...(dims === undefined ? [] : field(2, 2, dims))];
  return [...field(1, 2, text(name)), ...field(2, 2, field(1, 2, tensor))];
}
