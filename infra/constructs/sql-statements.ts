/**
 * Splits an SQL script into statements, because the RDS Data API takes one at a time. Knows comments, quoted text,
 * quoted identifiers and dollar quoting; comments between statements are dropped.
 */
export function sqlStatements(script: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let hasContent = false;
  let position = 0;
  while (position < script.length) {
    const skipped = skipComment(script, position);
    if (skipped !== undefined) {
      if (!hasContent) start = skipped;
      position = skipped;
      continue;
    }
    const character = script[position]!;
    if (character === ';') {
      if (hasContent) statements.push(script.slice(start, position).trim());
      start = position + 1;
      hasContent = false;
      position += 1;
      continue;
    }
    if (character.trim() !== '') hasContent = true;
    position = skipQuoted(script, position) ?? position + 1;
  }
  if (hasContent) statements.push(script.slice(start).trim());
  return statements;
}

function skipComment(script: string, position: number): number | undefined {
  if (script.startsWith('--', position)) return after(script, '\n', position);
  if (script.startsWith('/*', position)) return after(script, '*/', position);
  return undefined;
}

function skipQuoted(script: string, position: number): number | undefined {
  const quote = script[position];
  if (quote === "'" || quote === '"') return after(script, quote, position + 1);
  const dollar = /\$(?:[A-Za-z_]\w*)?\$/y;
  dollar.lastIndex = position;
  const tag = dollar.exec(script)?.[0];
  return tag === undefined ? undefined : after(script, tag, position + tag.length);
}

function after(script: string, mark: string, from: number): number {
  const found = script.indexOf(mark, from);
  return found === -1 ? script.length : found + mark.length;
}
