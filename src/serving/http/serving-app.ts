import { ValidationError } from '../../errors.ts';
import { requireScope } from '../../tenancy/scopes.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { BatchStarter } from '../batch/batch-starter.ts';
import { bareInput, isExplained, nativeInput, predictEach, predictionsOf } from '../dialects/native.ts';
import { batchOfTensors } from '../dialects/open-inference/infer-batch.ts';
import { inferRequest } from '../dialects/open-inference/infer-request.ts';
import {
  inferResponse,
  inputsOf,
  outputsOf,
  wantedOutputs,
} from '../dialects/open-inference/infer-response.ts';
import { checkMethod, invocation, predictionsOf as scoringPredictions } from '../dialects/scoring.ts';
import type { Row } from '../input-rows.ts';
import type { TenantGate } from '../limits/tenant-gate.ts';
import type { PredictionHistory } from '../log/prediction-history.ts';
import { shadowReport } from '../log/shadow-report.ts';
import type { Predictor, ReadBatch, VersionChoice } from '../predictor.ts';
import type { Scored } from '../served-model.ts';
import { type Failure, failureResponse } from './failure-response.ts';
import { jsonBody, packed, unpacked } from './message-body.ts';
import {
  modelNameOf,
  routeOf,
  type ServingOperation,
  type ServingRoute,
  ServingRouteError,
  scopeOf,
} from './routes.ts';
import { targetOf } from './served-target.ts';
import { json, type ServingRequest, type ServingResponse } from './serving-message.ts';

export interface ServingAppParts {
  readonly predictor: Predictor;
  /** What was predicted before. @default - nothing is kept */
  readonly history?: PredictionHistory;
  /** Starts jobs for calls that do not want to wait. @default - every call waits */
  readonly batches?: Pick<BatchStarter, 'startFromRows'>;
  /** Keeps tenants to their plans. @default - nobody has limits */
  readonly gate?: TenantGate;
  /** Of the platform. */
  readonly version: string;
  /** What callers learn of a failure. */
  readonly failureOf: (error: unknown) => Failure;
  /** Told of every failure, after it was answered. */
  readonly onFailure?: (error: unknown, failure: Failure, request: ServingRequest) => void;
  /** The model of `/ping` and `/invocations`, where no model is named. */
  readonly defaultModel?: string;
  /** In whose name `/ping` looks at the default model, whoever asks. @default - the caller's */
  readonly watcher?: TenantContext;
  /** Refuses an answer that the transport cannot carry, by throwing. */
  readonly checkAnswer?: (response: ServingResponse) => void;
  /** Whether a load balancer should send requests here. @default - always */
  readonly isReady?: () => boolean;
}

type Operation = (request: ServingRequest, route: ServingRoute) => Promise<ServingResponse> | ServingResponse;

/** A call that may be made. */
interface ScoringCall {
  readonly score: (read: ReadBatch, choice?: VersionChoice) => Promise<Scored>;
  readonly headersOf: (scored: Scored) => Record<string, string>;
}

/**
 * The serving plane over HTTP, whatever carries it: a Lambda event or a socket. Matched and checked by hand, since the
 * route table's schemas and a router would cost more to load than a prediction takes.
 */
export class ServingApp {
  readonly #parts: ServingAppParts;
  readonly #operations: Readonly<Record<ServingOperation, Operation>>;

  constructor(parts: ServingAppParts) {
    this.#parts = parts;
    this.#operations = {
      predict: (request, route) => this.#predict(request, route),
      'predict-batch': (request, route) => this.#predictBatch(request, route),
      'predict-alias': (request, route) => this.#predictAlias(request, route),
      infer: (request, route) => this.#infer(request, route),
      'model-metadata': (request, route) => this.#modelMetadata(request, route),
      'model-ready': (request, route) => this.#modelReady(request, route),
      'server-metadata': () =>
        json({ name: 'tenantml', version: this.#parts.version, extensions: ['binary_tensor_data'] }),
      'server-live': () => json({ live: true }),
      'server-ready': () => {
        const ready = this.#parts.isReady?.() ?? true;
        return json({ ready, live: true }, {}, ready ? 200 : 503);
      },
      invocations: (request, route) => this.#invocations(request, route),
      ping: (request, route) => this.#ping(request, route),
      version: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: this.#parts.version }),
      predictions: (request, route) => this.#predictions(request, route),
      shadow: (request, route) => this.#shadow(request, route),
      prediction: async (request, route) => {
        const tenant = callerOf(request, route);
        return json(await this.#history().find(tenant, route.predictionId!));
      },
      cache: (request, route) => json(this.#parts.predictor.cacheView(callerOf(request, route))),
    };
  }

  /** Answers every request, whatever goes wrong, in the dialect that was spoken. */
  async handle(request: ServingRequest): Promise<ServingResponse> {
    let response: ServingResponse;
    try {
      const route = routeOf(request.method, request.path);
      response = packed(request, await this.#operations[route.operation](request, route));
      this.#parts.checkAnswer?.(response);
    } catch (error) {
      const failure = this.#parts.failureOf(error);
      response = failureResponse(failure, request);
      this.#parts.onFailure?.(error, failure, request);
    }
    response.headers['x-request-id'] = request.requestId;
    return response;
  }

  /** Knows the caller, the model and that the plan allows the call, before anything is read. */
  async #begin(request: ServingRequest, route: ServingRoute, name = route.model!): Promise<ScoringCall> {
    const tenant = callerOf(request, route);
    const model = modelNameOf(name);
    const { predictor, gate } = this.#parts;
    const admitted = gate?.admit(tenant);
    const limits = admitted instanceof Promise ? await admitted : admitted;
    const target = targetOf(request, route);
    const routingKey = request.headers['x-routing-key'];
    return {
      score: (read, choice) => predictor.predict(tenant, model, read, { ...choice, ...target, routingKey }),
      headersOf: (scored) => Object.assign(aboutScored(scored), limits),
    };
  }

  async #predict(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const call = await this.#begin(request, route);
    const { read, rows, isList, explained } = nativeInput(jsonBody(request));
    if (isAsync(request)) {
      const job = await this.#startJob(request, route, rows);
      if (job !== undefined) return job;
    }
    const scored = await call.score(read, { explained: explained || isExplained(request.query.explain) });
    const predictions = predictionsOf(scored);
    return json(
      isList ? predictions : { ...predictions[0]!, request_id: request.requestId },
      call.headersOf(scored),
    );
  }

  /** A job for the rows; `undefined` where there are none, and the preference cannot be followed (RFC 7240). */
  async #startJob(
    request: ServingRequest,
    route: ServingRoute,
    rows: readonly Row[],
  ): Promise<ServingResponse | undefined> {
    const { batches } = this.#parts;
    if (batches === undefined) return undefined;
    const job = await batches.startFromRows(request.tenant(), {
      ...{ model_name: modelNameOf(route.model!), rows },
      ...targetOf(request, route),
    });
    const headers = {
      location: `/api/v1/ml/jobs/${job.job_id}`,
      'preference-applied': 'respond-async',
    };
    const { job_id, status, model_name, created_at } = job;
    return json({ job_id, status, model_name, created_at }, headers, 202);
  }

  async #predictAlias(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const call = await this.#begin(request, route);
    const explained = isExplained(request.query.explain);
    const scored = await call.score(bareInput(jsonBody(request)), { explained });
    const [prediction] = predictionsOf(scored);
    return json({ prediction: { ...prediction, request_id: request.requestId } }, call.headersOf(scored));
  }

  async #predictBatch(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const call = await this.#begin(request, route);
    const { results, scored } = await predictEach(jsonBody(request), call.score);
    const nFailed = results.filter((result) => 'error' in result).length;
    return json(
      { predictions: results, n_rows: results.length, n_failed: nFailed, request_id: request.requestId },
      scored && call.headersOf(scored),
    );
  }

  async #infer(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const call = await this.#begin(request, route);
    const sent = inferRequest(unpacked(request), request.headers['inference-header-content-length']);
    const read: ReadBatch = (manifest) => {
      wantedOutputs(manifest, sent);
      return batchOfTensors(manifest, sent);
    };
    const scored = await call.score(read);
    const response = inferResponse(sent, scored);
    Object.assign(response.headers, call.headersOf(scored));
    return response;
  }

  #history(): PredictionHistory {
    const { history } = this.#parts;
    if (history !== undefined) return history;
    throw new ServingRouteError('ROUTE_NOT_FOUND', 'this server keeps no predictions');
  }

  async #predictions(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const tenant = callerOf(request, route);
    const { limit = '100', model_name: model } = request.query;
    const wanted = Number(limit);
    if (!Number.isInteger(wanted) || wanted < 1 || wanted > 1_000) {
      throw new ValidationError(`query /limit: ${limit.slice(0, 40)} must be a whole number from 1 to 1000`, {
        errors: [{ pointer: '/limit', detail: 'out of range' }],
      });
    }
    const name = model === undefined ? undefined : modelNameOf(model);
    return json(await this.#history().recent(tenant, wanted, name));
  }

  async #shadow(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const tenant = callerOf(request, route);
    const model = modelNameOf(request.query.model_name ?? '');
    const { items } = await this.#history().recent(tenant, 1_000, model);
    return json(shadowReport(model, items));
  }

  async #describe(request: ServingRequest, route: ServingRoute) {
    const tenant = callerOf(request, route);
    return this.#parts.predictor.describe(tenant, modelNameOf(route.model!), targetOf(request, route));
  }

  async #modelMetadata(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const { manifest, versions } = await this.#describe(request, route);
    return json({
      name: route.model,
      versions,
      platform: 'onnx_onnxv1',
      inputs: inputsOf(manifest),
      outputs: outputsOf(manifest),
    });
  }

  async #modelReady(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    await this.#describe(request, route);
    return json({ name: route.model, ready: true });
  }

  /** The model of a scoring path: named by it, by SageMaker's header, or the only one of the server. */
  #scoringModel(request: ServingRequest, route: ServingRoute): string | undefined {
    return route.model ?? request.headers['x-amzn-sagemaker-target-model'] ?? this.#parts.defaultModel;
  }

  /** Of a named model: whether it can be loaded. Of none: whether the server, and its only model, can be asked. */
  async #ping(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const { defaultModel, watcher, isReady } = this.#parts;
    const named = route.model ?? request.headers['x-amzn-sagemaker-target-model'];
    if (named !== undefined) await this.#describe(request, { ...route, model: named });
    else if (defaultModel !== undefined)
      await this.#parts.predictor.describe(watcher ?? callerOf(request, route), modelNameOf(defaultModel));
    const isServing = named !== undefined || (isReady?.() ?? true);
    return { status: isServing ? 200 : 503, headers: { 'content-type': 'application/json' }, body: '\n' };
  }

  async #invocations(request: ServingRequest, route: ServingRoute): Promise<ServingResponse> {
    const model = this.#scoringModel(request, route);
    if (model === undefined) {
      callerOf(request, route);
      throw new ValidationError(
        'no model is named; POST /endpoints/{model_name}/invocations, or send X-Amzn-SageMaker-Target-Model',
      );
    }
    const call = await this.#begin(request, route, model);
    const { read, method } = await invocation(request);
    const scored = await call.score((manifest) => {
      checkMethod(manifest, method);
      return read(manifest);
    });
    const headers = call.headersOf(scored);
    const inferenceId = request.headers['x-amzn-sagemaker-inference-id'];
    if (inferenceId !== undefined) headers['x-amzn-sagemaker-inference-id'] = inferenceId;
    headers['x-amzn-invoked-production-variant'] = scored.version;
    return json({ predictions: scoringPredictions(scored, method) }, headers);
  }
}

/**
 * @throws {UnauthenticatedError}
 * @throws {ScopeMissingError}
 */
function callerOf(request: ServingRequest, { operation }: ServingRoute): TenantContext {
  const tenant = request.tenant();
  requireScope(tenant, scopeOf[operation]!);
  return tenant;
}

/** https://www.rfc-editor.org/rfc/rfc7240#section-4.1 */
const isAsync = ({ headers }: ServingRequest): boolean =>
  headers.prefer !== undefined && /(^|[,;\s])respond-async\b/i.test(headers.prefer);

/** Which version answered, whether it was in memory, and under which id the first row is found again. */
const aboutScored = ({ cache, outputCache, version, ids }: Scored): Record<string, string> => ({
  ...(outputCache === undefined ? {} : { 'x-cache': outputCache }),
  'x-model-cache': cache,
  'x-model-version': version,
  'x-prediction-id': ids[0]!,
});
