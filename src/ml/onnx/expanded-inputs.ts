/** The columns of a feature expansion as tensors of the graph. */
import type { FeatureExpansion } from '../preprocessing/feature-expansion.ts';
import { CalendarColumns } from './calendar-columns.ts';
import type { FeatureInput } from './feature-inputs.ts';
import type { GraphBuilder } from './graph-builder.ts';

export type ExpandedInput =
  | {
      readonly kind: 'numeric';
      readonly source: number;
      /** Name of a float32 [N, 1], missing as NaN; the nodes for it are written when it is first asked for. */
      tensor(): string;
    }
  | { readonly kind: 'category'; readonly source: number; readonly input: FeatureInput };

/** One per column of the expansion, in order. */
export function expandInputs(
  graph: GraphBuilder,
  inputs: readonly FeatureInput[],
  expansion: FeatureExpansion,
): ExpandedInput[] {
  const calendars = new Map<number, CalendarColumns>();
  const calendarOf = (source: number) => {
    const calendar = calendars.get(source) ?? new CalendarColumns(graph, inputs[source]!.input);
    calendars.set(source, calendar);
    return calendar;
  };
  return expansion.columns.map((column): ExpandedInput => {
    const { source, kind } = column;
    const input = inputs[source]!;
    if (kind === 'category') return { kind, source, input };
    if (kind === 'numeric') return { kind, source, tensor: () => input.input };
    let made: string | undefined;
    const make = () =>
      kind === 'time' ? calendarOf(source).time(column.origin) : calendarOf(source).part(kind);
    return {
      kind: 'numeric',
      source,
      tensor: () => {
        made ??= make();
        return made;
      },
    };
  });
}
