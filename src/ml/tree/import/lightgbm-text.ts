/** LightGBM's text format: a header of lines `name=value`, then a block of them for each tree. */
import { notReadable } from './untrusted.ts';

export type Lines = ReadonlyMap<string, string>;

export interface LightgbmText {
  /** Names without a value have the empty text. */
  readonly header: Lines;
  readonly trees: readonly Lines[];
  /** Behind the trees: JSON or the text `null`. */
  readonly pandasCategorical: string | undefined;
}

/** @throws ValidationError MODEL_NOT_READABLE. */
export function readLightgbmText(text: string): LightgbmText {
  const end = text.indexOf('\nend of trees');
  if (!text.startsWith('tree\n') && !text.startsWith('tree\r\n')) {
    throw notReadable('it does not begin with the line "tree"; save it with save_model("model.txt")');
  }
  if (end < 0) throw notReadable('the line "end of trees" is missing: the file is cut off');
  const blocks: Map<string, string>[] = [new Map()];
  for (const line of text.slice(0, end).split('\n')) {
    const [name, value] = splitLine(line);
    if (name === 'Tree') blocks.push(new Map());
    if (name !== '') blocks.at(-1)!.set(name, value);
  }
  const pandas = /^pandas_categorical:(.*)$/m.exec(text.slice(end));
  return { header: blocks[0]!, trees: blocks.slice(1), pandasCategorical: pandas?.[1] };
}

function splitLine(line: string): [string, string] {
  const trimmed = line.trim();
  const equals = trimmed.indexOf('=');
  return equals < 0 ? [trimmed, ''] : [trimmed.slice(0, equals), trimmed.slice(equals + 1)];
}

export function lineOf(lines: Lines, name: string): string {
  const value = lines.get(name);
  if (value === undefined) throw notReadable(`the line ${name}= is missing`);
  return value;
}

/** Words between spaces. */
export function wordsOf(lines: Lines, name: string, length?: number): string[] {
  const value = lineOf(lines, name);
  const words = value === '' ? [] : value.split(' ');
  if (length !== undefined && words.length !== length) {
    throw notReadable(`${name} has ${words.length} values, and ${length} are needed`);
  }
  return words;
}
