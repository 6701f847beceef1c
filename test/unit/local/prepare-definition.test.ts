import { describe, expect, it } from 'vitest';
import {
  type Definition,
  prepareDefinition,
  taskStates,
} from '../../../local/step-functions/prepare-definition.ts';

const INVOKE = 'arn:aws:states:::lambda:invoke';

function prepare(state: object): Record<string, unknown> {
  return prepareDefinition({ StartAt: 'S', States: { S: state } } as unknown as Definition).States.S as never;
}

describe('a definition', () => {
  it('gives a task without timeout none, instead of the sixty seconds of the interpreter', () => {
    expect(prepare({ Type: 'Task', Resource: INVOKE }).TimeoutSeconds).toBe(2_000_000);
    expect(prepare({ Type: 'Task', Resource: INVOKE, TimeoutSeconds: 5 }).TimeoutSeconds).toBe(5);
  });

  it('carries a timeout path through the parameters, before which AWS evaluates it', () => {
    const state = prepare({
      Type: 'Task',
      Resource: INVOKE,
      Parameters: { FunctionName: 'f' },
      TimeoutSecondsPath: '$.limit',
    });
    expect(state).toMatchObject({
      Parameters: { FunctionName: 'f', '__twinTimeoutSeconds.$': '$.limit' },
      TimeoutSecondsPath: '$.__twinTimeoutSeconds',
    });
    expect(state).not.toHaveProperty('TimeoutSeconds');
  });

  it.each([
    ['JSONata', { Type: 'Task', Resource: INVOKE, QueryLanguage: 'JSONata' }],
    ['task tokens', { Type: 'Task', Resource: `${INVOKE}.waitForTaskToken` }],
    ['other services', { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage' }],
    [
      'distributed Map',
      { Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, StartAt: 'T', States: {} } },
    ],
    ['an item reader', { Type: 'Map', ItemReader: {}, ItemProcessor: { StartAt: 'T', States: {} } }],
  ])('with %s is refused, which the interpreter would ignore', (_, state) => {
    expect(() => prepare(state)).toThrow(expect.objectContaining({ code: 'STATE_MACHINE_UNSUPPORTED' }));
  });

  it('has its tasks found in branches and maps', () => {
    const task = { Type: 'Task', Resource: INVOKE };
    const inner = (name: string) => ({ StartAt: name, States: { [name]: task } });
    const states = {
      A: task,
      B: { Type: 'Parallel', Branches: [inner('B1'), inner('B2')] },
      C: { Type: 'Map', ItemProcessor: inner('C1') },
    };
    expect([...taskStates(states).keys()].sort()).toEqual(['A', 'B1', 'B2', 'C1']);
  });
});
