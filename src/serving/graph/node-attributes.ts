import { AttributeType, type OnnxAttribute, type OnnxNode } from '../../ml/onnx/read/onnx-model.ts';
import { NotSupported } from './not-supported.ts';

/** The attributes of a node by name, when it has none but these, each of the type that is expected. */
export function attributesOf<Name extends string>(
  { opType, attributes }: OnnxNode,
  types: Readonly<Record<Name, keyof typeof AttributeType>>,
): Partial<Record<Name, OnnxAttribute>> {
  const found: Partial<Record<Name, OnnxAttribute>> = {};
  for (const attribute of attributes) {
    const name = attribute.name as Name;
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (
      type === undefined ||
      attribute.type !== AttributeType[type] ||
      attribute.hasOther ||
      found[name] !== undefined
    )
      throw new NotSupported(`attribute ${name} of ${opType}`);
    found[name] = attribute;
  }
  return found;
}

export function requireInputs({ opType, inputs }: OnnxNode, count: number): void {
  if (inputs.length !== count) throw new NotSupported(`${opType} of ${inputs.length} inputs`);
}

export const textOf = (attribute: OnnxAttribute): string => new TextDecoder().decode(attribute.text);
