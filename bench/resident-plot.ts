/** Resident memory over the predictions, as SVG. */

export interface ResidentCurve {
  readonly name: string;
  readonly colour: string;
  /** Position, bytes. */
  readonly points: readonly (readonly [number, number])[];
}

export interface ResidentPlot {
  readonly title: string;
  readonly curves: readonly ResidentCurve[];
  readonly marks: readonly { readonly name: string; readonly bytes: number }[];
  /** A span of positions that is shaded. */
  readonly span: { readonly name: string; readonly from: number; readonly to: number };
  readonly end: number;
}

const [width, height] = [900, 420];
const [left, right, top, bottom] = [70, 150, 50, 50];
const mebibyte = 1024 * 1024;

export function residentSvg({ title, curves, marks, span, end }: ResidentPlot): string {
  const largest = Math.max(
    ...marks.map(({ bytes }) => bytes),
    ...curves.flatMap(({ points }) => points.map((p) => p[1])),
  );
  const tickMiB = 250;
  const topMiB = Math.ceil(largest / mebibyte / tickMiB) * tickMiB;
  const x = (position: number) => left + ((width - left - right) * position) / end;
  const y = (bytes: number) => height - bottom - ((height - top - bottom) * bytes) / (topMiB * mebibyte);
  const text = (at: [number, number], content: string, more = '') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${content}</text>`;
  const line = (x1: number, y1: number, x2: number, y2: number, more: string) =>
    `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${more}/>`;
  const parts = [
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text([left, 26], title, 'font-size="15" font-weight="600"'),
    `<rect x="${x(span.from).toFixed(1)}" y="${top}" width="${Math.max(2, x(span.to) - x(span.from)).toFixed(1)}" height="${height - top - bottom}" fill="#d9d9d9"/>`,
    text([x(span.to) + 4, height - bottom - 8], span.name, 'fill="#555"'),
  ];
  for (let mib = 0; mib <= topMiB; mib += tickMiB) {
    parts.push(line(left, y(mib * mebibyte), width - right, y(mib * mebibyte), 'stroke="#eee"'));
    parts.push(text([left - 8, y(mib * mebibyte) + 4], String(mib), 'text-anchor="end" fill="#555"'));
  }
  const step = 10 ** Math.floor(Math.log10(end / 2)) / 2;
  for (let position = 0; position <= end; position += step) {
    const name = position.toLocaleString('en');
    parts.push(text([x(position), height - bottom + 18], name, 'text-anchor="middle" fill="#555"'));
  }
  parts.push(
    text([(left + width - right) / 2, height - 10], 'predictions', 'text-anchor="middle" fill="#555"'),
  );
  parts.push(text([left - 8, top - 8], 'MiB', 'text-anchor="end" fill="#555"'));
  for (const { name, bytes } of marks) {
    parts.push(line(left, y(bytes), width - right, y(bytes), 'stroke="#333" stroke-dasharray="5 4"'));
    parts.push(
      text([width - right + 6, y(bytes) + 4], `${name} ${Math.round(bytes / mebibyte)}`, 'fill="#333"'),
    );
  }
  curves.forEach(({ name, colour, points }, i) => {
    const path = points.map(([at, bytes]) => `${x(at).toFixed(1)},${y(bytes).toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`);
    // Beside the plot, where no curve can run through it.
    const at = height - bottom - 8 - 18 * i;
    parts.push(
      line(width - right + 8, at - 4, width - right + 30, at - 4, `stroke="${colour}" stroke-width="3"`),
    );
    parts.push(text([width - right + 36, at], name));
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">\n${parts.join('\n')}\n</svg>\n`;
}
