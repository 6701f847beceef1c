/** Writes an ONNX graph node by node; names that it makes never clash with those of inputs and outputs. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './generated/onnx_pb.ts';
import { ElementType, OPSETS } from './onnx-versions.ts';

const IR_VERSION = 8n;
/** Rows of a batch. */
export const BATCH = 'N';

const AttributeType = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

export type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>;
type ValueInfoInit = MessageInitShape<typeof ValueInfoProtoSchema>;

const utf8 = new TextEncoder();

export const attribute = {
  float: (name: string, f: number): AttributeInit => ({ name, f, type: AttributeType.float }),
  int: (name: string, i: number): AttributeInit => ({ name, i: BigInt(i), type: AttributeType.int }),
  string: (name: string, s: string): AttributeInit => ({
    name,
    s: utf8.encode(s),
    type: AttributeType.string,
  }),
  /** A tensor of one double. */
  doubleScalar: (name: string, value: number): AttributeInit => ({
    name,
    t: {
      dims: [1n],
      dataType: ElementType.double,
      rawData: new Uint8Array(Float64Array.of(value).buffer),
    },
    type: AttributeType.tensor,
  }),
  floats: (name: string, floats: Iterable<number>): AttributeInit => ({
    name,
    floats: Array.from(floats),
    type: AttributeType.floats,
  }),
  ints: (name: string, ints: Iterable<number>): AttributeInit => ({
    name,
    ints: Array.from(ints, BigInt),
    type: AttributeType.ints,
  }),
  strings: (name: string, strings: Iterable<string>): AttributeInit => ({
    name,
    strings: Array.from(strings, (text) => utf8.encode(text)),
    type: AttributeType.strings,
  }),
};

export interface NodeOptions {
  readonly attributes?: readonly AttributeInit[];
  readonly domain?: 'ai.onnx.ml';
  /** Name of the result, for a graph output. @default - a fresh name */
  readonly output?: string;
}

export class GraphBuilder {
  readonly #nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly #initializers: MessageInitShape<typeof TensorProtoSchema>[] = [];
  readonly #inputs: ValueInfoInit[] = [];
  readonly #outputs: ValueInfoInit[] = [];
  readonly #names: Set<string>;

  /** @param reserved - names of outputs, which no input or node may take. */
  constructor(reserved: readonly string[]) {
    this.#names = new Set(reserved);
  }

  /** The wished name, or with the first free number behind it. */
  freshName(wish: string): string {
    let name = wish;
    // An empty name means "left out" in ONNX.
    for (let number = 1; name === '' || this.#names.has(name); number++) name = `${wish}_${number}`;
    this.#names.add(name);
    return name;
  }

  /** An input of shape [N, 1]; returns its name, which differs from the wish where that is taken. */
  input(wish: string, elementType: ElementType): string {
    const name = this.freshName(wish);
    this.#inputs.push(valueInfo(name, elementType, [BATCH, 1]));
    return name;
  }

  output(name: string, elementType: ElementType, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, elementType, shape));
  }

  node(opType: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const output = options.output ?? this.freshName(opType);
    this.#nodes.push({
      opType,
      name: `${opType}:${output}`,
      input: [...inputs],
      output: [output],
      attribute: [...(options.attributes ?? [])],
      domain: options.domain ?? '',
    });
    return output;
  }

  floats(values: ArrayLike<number>, dims: readonly number[]): string {
    return this.#initializer(ElementType.float, dims, Float32Array.from(values));
  }

  doubles(values: ArrayLike<number>, dims: readonly number[]): string {
    return this.#initializer(ElementType.double, dims, Float64Array.from(values));
  }

  int64s(values: readonly bigint[], dims: readonly number[]): string {
    return this.#initializer(ElementType.int64, dims, BigInt64Array.from(values));
  }

  strings(values: readonly string[], dims: readonly number[]): string {
    const name = this.freshName('constant');
    this.#initializers.push({
      name,
      dataType: ElementType.string,
      dims: dims.map(BigInt),
      stringData: values.map((text) => utf8.encode(text)),
    });
    return name;
  }

  #initializer(
    dataType: ElementType,
    dims: readonly number[],
    values: Float32Array | Float64Array | BigInt64Array,
  ): string {
    const name = this.freshName('constant');
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    this.#initializers.push({ name, dataType, dims: dims.map(BigInt), rawData });
    return name;
  }

  /** The bytes of the model: the same graph and metadata give the same bytes. */
  build(name: string, metadata: Readonly<Record<string, string>>): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'tenantml',
      opsetImport: [
        { domain: '', version: BigInt(OPSETS['ai.onnx']) },
        { domain: 'ai.onnx.ml', version: BigInt(OPSETS['ai.onnx.ml']) },
      ],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
    return toBinary(ModelProtoSchema, model);
  }
}

function valueInfo(name: string, elemType: ElementType, shape: readonly (number | string)[]): ValueInfoInit {
  const dim = shape.map((size) =>
    typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } },
  );
  return { name, type: { value: { case: 'tensorType' as const, value: { elemType, shape: { dim } } } } };
}
