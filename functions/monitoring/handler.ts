import { isoAt } from '../../src/clock.ts';
import { httpFunction } from '../../src/composition/http-function.ts';
import { monitoringPlane } from '../../src/composition/monitoring.ts';
import { recordFeedback } from '../../src/monitoring/feedback.ts';
import { performanceOf } from '../../src/monitoring/performance.ts';

const plane = monitoringPlane();
const dayMs = 24 * 60 * 60 * 1000;
/** Most predictions that one question looks at. */
const maxCounted = 10_000;

export const handler = httpFunction({
  recordFeedback: async ({ tenant, body }) => ({ body: await recordFeedback(tenant, body, plane) }),
  getPerformance: async ({ tenant, params: { model_name: model }, query }) => {
    const { version, manifest } = await plane.deployed(tenant, model);
    const from = isoAt(plane.clock.nowMs() - query.window_days * dayMs);
    const feedback = await plane.feedback.since(tenant, { model, version }, { from, limit: maxCounted });
    return { body: performanceOf(manifest, version, feedback, await plane.rule(tenant)) };
  },
});
