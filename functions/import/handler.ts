import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import { systemClock } from '../../src/clock.ts';
import { artifactStore } from '../../src/composition/artifacts.ts';
import { importedGraphs } from '../../src/composition/imported-graphs.ts';
import { jobStore, uploadStore } from '../../src/composition/stores.ts';
import { tenantSessions } from '../../src/composition/tenant-sessions.ts';
import { config } from '../../src/config.ts';
import type { ImportState, ImportStepEvent } from '../../src/imports/begin-import-step.ts';
import { type InspectParts, inspectStep } from '../../src/imports/inspect-step.ts';

const parts: InspectParts = {
  jobs: jobStore(),
  uploads: uploadStore(),
  artifacts: artifactStore(),
  graphs: importedGraphs(
    new SignedObjects({
      ...{ region: config.region, bucket: config.stagingBucket, endpoint: config.endpoint('S3') },
      sessions: tenantSessions,
    }),
  ),
  clock: systemClock,
};

export const handler = stepFunction<ImportStepEvent<'inspect'>, ImportState>((event, context) =>
  inspectStep(event, parts, context.awsRequestId),
);
