/** What the interpreter tells of an execution, as events of GetExecutionHistory, without inputs and outputs. */

/** The part of the interpreter's events that is kept. */
interface InterpreterEvent {
  readonly type: string;
  readonly timestamp: number;
  readonly state?: { readonly name: string; readonly type: string };
  readonly parentState?: { readonly name: string };
  readonly index?: number;
}

export interface HistoryEvent {
  readonly atMs: number;
  readonly type: string;
  /** Of the state that was entered, left or iterated. */
  readonly name?: string;
  /** Of the iteration of a Map. */
  readonly index?: number;
}

/** @returns undefined for what Step Functions has no event of: retries and catches are seen by what follows them */
export function historyEvent(event: unknown): HistoryEvent | undefined {
  const { type, timestamp, state, parentState, index } = event as InterpreterEvent;
  const at = { atMs: timestamp, ...(index === undefined ? {} : { index }) };
  switch (type) {
    case 'ExecutionStarted':
    case 'ExecutionSucceeded':
    case 'ExecutionFailed':
    case 'ExecutionAborted':
      return { ...at, type };
    case 'ExecutionTimeout':
      return { ...at, type: 'ExecutionTimedOut' };
    case 'StateEntered':
    case 'StateExited':
      return { ...at, type: `${state!.type}${type}`, name: state!.name };
    case 'MapIterationStarted':
    case 'MapIterationSucceeded':
    case 'MapIterationFailed':
      return { ...at, type, ...(parentState === undefined ? {} : { name: parentState.name }) };
    default:
      return undefined;
  }
}

/** @param id - of the event, from 1. Events are told in the order in which they happened. */
export function describeEvent({ atMs, type, name, index }: HistoryEvent, id: number): object {
  const details = name === undefined ? undefined : detailsField(type);
  return {
    timestamp: atMs / 1000,
    type,
    id,
    previousEventId: id - 1,
    ...(details === undefined
      ? {}
      : { [details]: { name, ...(details.startsWith('map') ? { index } : {}) } }),
  };
}

function detailsField(type: string): string {
  if (type.startsWith('MapIteration')) return `map${type.slice('Map'.length)}EventDetails`;
  return type.endsWith('Entered') ? 'stateEnteredEventDetails' : 'stateExitedEventDetails';
}
