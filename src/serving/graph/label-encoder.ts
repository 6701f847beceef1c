/** Lookups of texts: categories to codes. */
import type { OnnxNode } from '../../ml/onnx/read/onnx-model.ts';
import type { GraphCompiler, OperatorCompiler } from './graph-compiler.ts';
import { exactInt64, type Rows } from './graph-value.ts';
import { attributesOf, requireInputs } from './node-attributes.ts';
import { NotSupported } from './not-supported.ts';

/** A Map's entry and a short text. */
const BYTES_PER_KEY = 80;

function labelEncoder(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 1);
  const { keys_strings, values_floats, values_int64s, default_float, default_int64 } = attributesOf(node, {
    keys_strings: 'strings',
    values_floats: 'floats',
    values_int64s: 'ints',
    default_float: 'float',
    default_int64: 'int',
  });
  const isFloat = values_floats !== undefined && default_float !== undefined;
  const isInt64 = values_int64s !== undefined && default_int64 !== undefined;
  const values = isFloat ? values_floats.floats : isInt64 ? values_int64s.ints : undefined;
  const otherwise = isFloat ? default_float.float : (default_int64?.int ?? 0);
  const from = graph.value(node.inputs[0]!);
  const keys = keys_strings?.strings;
  if (isFloat === isInt64 || values === undefined || keys?.length !== values.length)
    throw new NotSupported('a LabelEncoder of other kinds');
  if (from.kind !== 'texts') throw new NotSupported('a LabelEncoder of other than an input');

  const lookup = new Map<string, number>();
  let [least, most] = [otherwise, otherwise];
  for (let i = 0; i < values.length; i++) {
    const key = keys.at(i);
    if (key.includes('\0')) throw new NotSupported('a LabelEncoder with NUL in a key');
    lookup.set(key, values[i]!);
    if (values[i]! < least) least = values[i]!;
    if (values[i]! > most) most = values[i]!;
  }
  if (lookup.size !== values.length) throw new NotSupported('a LabelEncoder with a key twice');
  if (isInt64 && !(least >= -exactInt64 && most <= exactInt64))
    throw new NotSupported('integers beyond 2^53');
  graph.keptBytes += lookup.size * BYTES_PER_KEY;
  const out = isFloat ? graph.allocate('float', [1]) : graph.allocate('int64', [1], { least, most });
  const { input } = from;
  graph.steps.push(({ numbers, capacity, nRows, firstRow, feeds }) => {
    const texts = feeds[input]!.data as string[];
    const to = out.start * capacity;
    for (let row = 0; row < nRows; row++)
      numbers[to + row] =
        lookup.get(texts[firstRow + row]!) ?? lookup.get(inUtf8(texts[firstRow + row]!)) ?? otherwise;
  });
  return out;
}

/** The text as a graph's runtime gets it: in UTF-8, where halves of surrogate pairs are U+FFFD, and ended by NUL. */
function inUtf8(text: string): string {
  const end = text.indexOf('\0');
  return (end < 0 ? text : text.slice(0, end)).toWellFormed();
}

export const labelOperators: Readonly<Record<string, OperatorCompiler>> = {
  'ai.onnx.ml:LabelEncoder': labelEncoder,
};
