import { stripVTControlCharacters, styleText } from 'node:util';

/** What a command says: results to stdout; progress and errors to stderr. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
}

const stderrIsTerminal = (): boolean => process.stderr.isTTY === true;

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const printJson = (value: unknown): void => print(JSON.stringify(value));

/** @returns the text in bold where colours are wanted (a terminal, and no NO_COLOR) */
export const bold = (text: string): string => styleText('bold', text, { stream: process.stdout });

const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** @returns rows in columns, numbers to the right */
export function table(
  header: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  const isNumber = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'));
  const cells = [header, ...rows].map((row) => row.map((cell) => String(cell ?? '')));
  const widths = header.map((_, i) => Math.max(...cells.map((row) => widthOf(row[i]!))));
  return cells
    .map((row, line) =>
      row
        .map((cell, i) => {
          const gap = ' '.repeat(widths[i]! - widthOf(cell));
          const text = isNumber[i] ? gap + cell : cell + gap;
          return line === 0 ? bold(text) : text;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const barWidth = 28;

/** A bar on a terminal; elsewhere nothing, so that logs stay short. */
export class ProgressBar {
  readonly #shown: boolean;
  #last = '';

  constructor({ json, quiet }: Output) {
    this.#shown = stderrIsTerminal() && !json && !quiet;
  }

  update(label: string, fraction: number): void {
    if (!this.#shown) return;
    const filled = Math.round(barWidth * Math.min(1, Math.max(0, fraction)));
    const text = `${label.padEnd(16)} ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${String(Math.round(fraction * 100)).padStart(3)} %`;
    if (text === this.#last) return;
    this.#last = text;
    process.stderr.write(`\r\u001b[2K${text}`);
  }

  clear(): void {
    if (this.#shown && this.#last !== '') process.stderr.write('\r\u001b[2K');
    this.#last = '';
  }
}
