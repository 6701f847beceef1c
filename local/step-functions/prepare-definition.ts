import { TwinError } from '../errors.ts';

export type States = Record<string, State>;

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly [field: string]: unknown;
}

export interface Definition {
  readonly StartAt: string;
  readonly States: States;
  readonly TimeoutSeconds?: number;
  readonly QueryLanguage?: string;
}

/** Where the evaluated timeout of a task travels; taken out again before the function is called. */
export const TIMEOUT_FIELD = '__twinTimeoutSeconds';

/** Longest delay that a timer can hold: 24 days. A task without a timeout runs as long. */
const FOREVER_SECONDS = 2_000_000;

const INVOKE = 'arn:aws:states:::lambda:invoke';

/** What the interpreter would silently ignore. */
const IGNORED_FIELDS = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailurePercentage',
  'ToleratedFailureCount',
];

/**
 * Fits a definition to the interpreter without changing what it means on AWS:
 * - a task without a timeout would get 60 seconds from the interpreter; on AWS it has none;
 * - `TimeoutSecondsPath` is evaluated by the interpreter after `Parameters`, by AWS before: the value is carried
 *   through the parameters.
 * What the interpreter would ignore (JSONata, distributed Map, task tokens) is refused by the name of the state.
 */
export function prepareDefinition(definition: Definition): Definition {
  if (definition.QueryLanguage !== undefined && definition.QueryLanguage !== 'JSONPath') {
    throw unsupported('the machine', `query language ${definition.QueryLanguage}`);
  }
  return { ...definition, States: prepareStates(definition.States) };
}

function prepareStates(states: States): States {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, prepareState(name, state)]));
}

function prepareState(name: string, state: State): State {
  if (state.QueryLanguage !== undefined && state.QueryLanguage !== 'JSONPath') {
    throw unsupported(name, `query language ${state.QueryLanguage}`);
  }
  const ignored = IGNORED_FIELDS.find((field) => field in state);
  if (ignored !== undefined) {
    throw unsupported(name, ignored);
  }
  switch (state.Type) {
    case 'Task':
      return prepareTask(name, state);
    case 'Parallel':
      return { ...state, Branches: (state.Branches as Definition[]).map(prepareDefinition) };
    case 'Map': {
      const field = 'ItemProcessor' in state ? 'ItemProcessor' : 'Iterator';
      const processor = state[field] as Definition & { ProcessorConfig?: { Mode?: string } };
      if (processor.ProcessorConfig?.Mode === 'DISTRIBUTED') {
        throw unsupported(name, 'distributed Map');
      }
      return { ...state, [field]: prepareDefinition(processor) };
    }
    default:
      return state;
  }
}

function prepareTask(name: string, state: State): State {
  const isFunctionArn = state.Resource?.includes(':function:') === true;
  if (state.Resource !== INVOKE && !isFunctionArn) {
    throw unsupported(name, `task resource ${state.Resource}`);
  }
  const { TimeoutSecondsPath, ...rest } = state;
  if (TimeoutSecondsPath === undefined) {
    return { ...rest, TimeoutSeconds: rest.TimeoutSeconds ?? FOREVER_SECONDS };
  }
  if (isFunctionArn) {
    throw unsupported(name, 'TimeoutSecondsPath on a task that is a bare function ARN');
  }
  return {
    ...rest,
    Parameters: { ...(rest.Parameters as object), [`${TIMEOUT_FIELD}.$`]: TimeoutSecondsPath },
    TimeoutSecondsPath: `$.${TIMEOUT_FIELD}`,
  };
}

/** Names of all Task states with their definition, nested ones too. */
export function taskStates(states: States): Map<string, State> {
  const found = new Map<string, State>();
  for (const [name, state] of Object.entries(states)) {
    if (state.Type === 'Task') found.set(name, state);
    const inner = [...((state.Branches as Definition[]) ?? []), state.ItemProcessor, state.Iterator] as (
      | Definition
      | undefined
    )[];
    for (const definition of inner) {
      if (definition !== undefined) {
        for (const [innerName, innerState] of taskStates(definition.States)) found.set(innerName, innerState);
      }
    }
  }
  return found;
}

function unsupported(where: string, what: string): TwinError {
  return new TwinError('STATE_MACHINE_UNSUPPORTED', `${where}: the local Step Functions cannot run ${what}`);
}
