/** The finite ones, as the table of jobs can hold them: DynamoDB has no number that is nearer to 0 than 1e-130. */
export function storableMetrics(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([, value]) => Number.isFinite(value))
      .map(([name, value]) => [name, storable(value)]),
  );
}

export const storable = (value: number): number => (Math.abs(value) < 1e-100 ? 0 : value);
