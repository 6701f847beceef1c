import type { BilledResource } from './billed-resource.ts';
import type { Charge } from './prices.ts';

const CALLS = 1_000_000;

/**
 * What a prediction takes. Of one row of some dozen features, ten a second for a day and a few hours, in one environment:
 * the more come at once, the less each costs.
 */
export const PREDICTION = {
  callsPerSecond: 10,
  /** `npm run bench:serve`: the whole handler takes 0.011 ms; Lambda bills whole milliseconds and its own share. */
  billedMs: 2,
  /** Not measured on AWS: environments that start for a call, and how long that takes there. */
  coldShare: 0.001,
  coldMs: 600,
  /** A serving pointer is read again after two seconds, consistently; read for every call at worst. */
  pointerReads: 1,
  /** The prediction log is written once in 2,000 rows or five seconds. */
  logObjectEverySeconds: 5,
  logBytes: 200,
  logMonths: 3,
  /** What Lambda writes of each call, JSON lines of start and report. */
  functionLogBytes: 900,
  /** One line of the API's access log. */
  accessLogBytes: 450,
  /** A verdict is kept for five minutes. */
  authorizerShare: 0.01,
  authorizerSeconds: 0.02,
  /** X-Ray's own rule: one request a second, and 5 % of the rest. */
  traced: (calls: number, seconds: number): number => seconds + 0.05 * (calls - seconds),
  /** Headers and body. */
  answerBytes: 600,
} as const;

/** What a million predictions cost, by functions as they are in the template. */
export function millionPredictions(resources: readonly BilledResource[]): readonly Charge[] {
  const gb = (bytes: number) => (bytes * CALLS) / 1e9;
  const predict = functionNamed(resources, 'predict');
  const authorizer = functionNamed(resources, 'authorizer');
  const seconds = CALLS / PREDICTION.callsPerSecond;
  const { billedMs, coldMs, coldShare, authorizerShare, authorizerSeconds } = PREDICTION;
  const predictGb = Number(predict.Properties.MemorySize) / 1024;
  const authorizerGb = Number(authorizer.Properties.MemorySize) / 1024;
  const isTraced = predict.Properties.TracingConfig?.Mode === 'Active';
  const charge = (price: Charge['price'], quantity: number, what: string): Charge => ({
    price,
    quantity,
    what,
  });
  return [
    charge('httpApiRequest', CALLS, 'calls of the HTTP API'),
    charge('lambdaRequest', CALLS, 'calls of predict'),
    charge(
      'lambdaSecond',
      (CALLS * (billedMs + coldShare * coldMs) * predictGb) / 1000,
      `predict: calls × (${billedMs} ms + ${coldShare} × ${coldMs} ms of starts) × ${predict.Properties.MemorySize} MiB`,
    ),
    charge('lambdaRequest', CALLS * authorizerShare, `authorizer: ${authorizerShare} of the calls`),
    charge(
      'lambdaSecond',
      CALLS * authorizerShare * authorizerSeconds * authorizerGb,
      `authorizer: × ${authorizerSeconds} s × ${authorizer.Properties.MemorySize} MiB`,
    ),
    charge(
      'tableRead',
      CALLS * PREDICTION.pointerReads,
      'serving pointers: one consistent read a call at most',
    ),
    charge(
      'objectPut',
      seconds / PREDICTION.logObjectEverySeconds,
      `prediction log: an object every ${PREDICTION.logObjectEverySeconds} s at ${PREDICTION.callsPerSecond} calls a second`,
    ),
    charge(
      'objectStorage',
      gb(PREDICTION.logBytes) * PREDICTION.logMonths,
      `prediction log: ${PREDICTION.logBytes} bytes a row, gzipped, ${PREDICTION.logMonths} months`,
    ),
    charge(
      'logIngestion',
      gb(PREDICTION.functionLogBytes),
      `Lambda's lines: ${PREDICTION.functionLogBytes} bytes a call`,
    ),
    charge(
      'logIngestion',
      gb(PREDICTION.accessLogBytes),
      `access log: ${PREDICTION.accessLogBytes} bytes a call`,
    ),
    ...(isTraced
      ? [
          charge(
            'trace',
            PREDICTION.traced(CALLS, seconds),
            'traces: one a second, and 5 % of the other calls',
          ),
        ]
      : []),
    charge('dataOut', gb(PREDICTION.answerBytes), `answers: ${PREDICTION.answerBytes} bytes each`),
  ];
}

function functionNamed(resources: readonly BilledResource[], name: string): BilledResource {
  const found = resources.find(
    ({ Properties }) => Properties?.Environment?.Variables?.POWERTOOLS_SERVICE_NAME === name,
  );
  if (found === undefined) throw new Error(`the template has no function ${name}`);
  return found;
}
