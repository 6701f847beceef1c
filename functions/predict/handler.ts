import { warningLine } from '../../src/adapters/aws/lambda/failure-line.ts';
import { predictFunction } from '../../src/adapters/aws/lambda/predict-function.ts';
import { onShutdown } from '../../src/adapters/aws/lambda/shutdown.ts';
import { predictPlane, prewarmList } from '../../src/composition/predict-plane.ts';
import { config } from '../../src/config.ts';

const plane = predictPlane();
onShutdown(config.runtimeApi, () => plane.end());

/** Models that are wanted in memory before the first call; a function that starts for a call does without the rest. */
const prewarmed = plane.predictor
  .prewarm(prewarmList(), { untilMs: plane.clock.nowMs() + 5_000 })
  .then((outcomes) => {
    for (const { model, outcome, error } of outcomes)
      if (outcome === 'failed')
        warningLine('a model of PREWARM_MODELS could not be loaded', error, { model });
  });

export const handler = predictFunction(plane, { ready: prewarmed, runtimeApi: config.runtimeApi });
