import { generateKeyPairSync, sign } from 'node:crypto';
import { type OperationId, type Route, routes } from '../../../src/contracts/routes.ts';
import { owner, type SentRequest, type World } from './world.ts';

/** One try of the attacker to see or change what is the owner's. */
export interface Attack {
  /** Family, operation and variant. */
  readonly name: string;
  readonly request: SentRequest;
  /** The same for what nobody has: the answer must not differ but in the names. */
  readonly control?: SentRequest;
  /** What the owner does just before. */
  readonly warmedBy?: SentRequest;
  /** Token to send, or none. @default - the attacker's own */
  readonly token?: string | null;
  /** Whether an answer of 2xx is no harm: what is asked for is the attacker's own. */
  readonly mayServe?: boolean;
  /** Whether the answer shows what the attacker has asked for before: ids of the owner among it. */
  readonly repeatsAsked?: boolean;
  /** Sent to the local S3 instead of the gateway. */
  readonly url?: string;
}

type Ids = Readonly<Record<string, string>>;

/** Ids of the right form that nobody has. */
const nobody: Ids = {
  dataset_id: 'f'.repeat(64),
  job_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  upload_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  prediction_id: 'AaIT9hMLqhDgIGoAAAMAH5BMckUYstCm',
  model_name: 'absents',
  model_id: 'absents',
  model_version: '1.0.0',
  alias: 'golden',
  environment: 'staging',
  key_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  subject: 'absents',
};

const all = (Object.keys(routes) as OperationId[]).filter((id) => routes[id].authorized);
const parametersOf = (route: Route): string[] =>
  [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
const tensors = { inputs: [{ name: 'amount', shape: [1, 1], datatype: 'FP32', data: [1] }] };

/** A body that its owner would succeed with. */
function bodyOf(id: OperationId, ids: Ids): Record<string, unknown> | undefined {
  const bodies: Partial<Record<OperationId, Record<string, unknown>>> = {
    createDataset: { rows: [{ a: 1 }] },
    trainModel: { model_name: 'stolen', dataset_id: ids.dataset_id, target: 'risk' },
    batchPredict: { model_name: ids.model_name, dataset_id: ids.dataset_id },
    createImport: { size_bytes: 8 },
    recordFeedback: { prediction_id: ids.prediction_id, actual_outcome: 'low' },
    ...{ predict: { input_data: { amount: 1 } }, predictAlias: { amount: 1 } },
    predictBatch: { input_batch: [{ amount: 1 }] },
    ...{ infer: tensors, inferVersion: tensors },
    invocations: { instances: [{ amount: 1 }] },
    targetedInvocations: { instances: [{ amount: 1 }] },
    createApiKey: { name: 'stolen', role: 'admin' },
    ...{ putMember: { role: 'admin' }, putSettings: { revision: 0, log_features: 'drop' } },
    putServing: { settings: { log: 'off' } },
    ...{ updateModel: { description: 'stolen' }, updateVersion: { notes: 'stolen' } },
    createModelVersion: { from_version: ids.model_version },
    transitionStage: { stage: 'Archived', force: true },
    ...{ setAlias: { version: ids.model_version }, putEnvironment: { version: ids.model_version } },
    ...{ rollback: {}, retrainModel: {}, archiveOldVersions: { keep_latest: 1 } },
    promote: { version: ids.model_version, force: true },
    importRegistry: {
      format: 'tenantml.registry',
      format_version: 1,
      exported_at: '2026-01-31T12:00:00Z',
      models: [],
    },
  };
  const { method, body } = routes[id] as Route;
  return bodies[id] ?? (method !== 'GET' && body !== undefined ? {} : undefined);
}

const queryOf = (id: OperationId, ids: Ids): string =>
  id === 'compareVersions'
    ? `?a=${ids.model_version}&b=${ids.model_version}`
    : id === 'shadowReport'
      ? `?model_name=${ids.model_name}`
      : id === 'deleteModel' || id === 'deleteModelVersion'
        ? '?force=true'
        : '';

function requestOf(id: OperationId, ids: Ids, headers: Record<string, string> = {}): SentRequest {
  const { method, path }: Route = routes[id];
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name]!);
  const body = bodyOf(id, ids);
  return {
    method,
    path: `${filled}${queryOf(id, ids)}`,
    headers: { 'x-amzn-sagemaker-target-model': ids.model_name!, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

/**
 * Taken in by a tenant of its own, a member of another is listed there and removed from there, as a user of nobody is; that
 * this has no effect on the other is looked at in cross-tenant.test.ts.
 */
const ofOwnList = new Set<OperationId>(['putMember', 'removeMember']);

/** Operations that name something of a tenant, in their path, query, header or body. */
const naming = all.filter(
  (id) =>
    (parametersOf(routes[id]).length > 0 && !ofOwnList.has(id)) ||
    ['trainModel', 'batchPredict', 'recordFeedback', 'invocations', 'shadowReport'].includes(id),
);
/** Of a name of one's own: they make or list something under it. */
const makesOwn = new Set<OperationId>(['createImport', 'shadowReport']);

/** The owner's ids in the place of one's own, at every operation. */
function foreignIds({ ids }: World): Attack[] {
  const names = naming.map((id): Attack => {
    const foreign = { name: `foreign id: ${id}`, request: requestOf(id, ids) };
    return makesOwn.has(id) ? { ...foreign, mayServe: true } : { ...foreign, control: requestOf(id, nobody) };
  });
  // Every other name of the owner's version, and those that say which it is beside a model of the attacker's own.
  const versioned = naming.filter((id) => parametersOf(routes[id]).includes('model_version'));
  const under = (model_name: string, names_: readonly string[], what: string): Attack[] =>
    names_.flatMap((model_version) =>
      versioned.map((id) => ({
        name: `foreign version ${what}: ${id} ${model_version.slice(0, 16)}`,
        request: requestOf(id, { ...ids, model_name, model_version }),
      })),
    );
  const exact = [ids.build_id!, ids.sha256!, 'golden'];
  return [
    ...names,
    ...under('private', [...exact, '1', 'champion'], 'by name'),
    ...under('mine', exact, 'of own model'),
  ];
}

/** Of a name that both have, the attacker's own is seen and nothing of the owner's. */
function sameNames({ ids }: World): Attack[] {
  const own = { ...ids, model_name: 'mine', model_id: 'mine', alias: 'golden' };
  return naming
    .filter(
      (id) => routes[id].method === 'GET' && 'model_name' in ((routes[id] as Route).params?.shape ?? {}),
    )
    .map((id) => ({ name: `same name: ${id}`, request: requestOf(id, own), mayServe: true }));
}

/** The owner named in headers, query and body, as careless services believe it. */
function statedTenant({ ids }: World): Attack[] {
  const headers = Object.fromEntries(
    [
      'x-tenant-id',
      'x-tenant',
      'tenant',
      'x-amzn-oidc-identity',
      'x-forwarded-user',
      'x-apigateway-context',
    ].map((name) => [name, owner]),
  );
  return all.flatMap((id) => {
    const request = requestOf(id, ids, headers);
    const separator = request.path.includes('?') ? '&' : '?';
    const path = `${request.path}${separator}tenant=${owner}&tenant_id=${owner}`;
    const mayServe = !naming.includes(id) || makesOwn.has(id);
    const inBody = {
      ...request,
      body: JSON.stringify({
        ...(JSON.parse(request.body ?? '{}') as object),
        tenant_id: owner,
        tenant: owner,
      }),
    };
    // What is asked for is written down, and shown to who asked.
    const own = id === 'listAudit' ? { repeatsAsked: true } : {};
    return [
      { name: `stated tenant: ${id} by header and query`, request: { ...request, path }, mayServe, ...own },
      ...(request.body === undefined
        ? []
        : [{ name: `stated tenant: ${id} by body`, request: inBody, mayServe }]),
    ];
  });
}

/** Paths that lead elsewhere once somebody decodes or joins them. */
function pathTricks({ ids }: World): Attack[] {
  const tricks = [
    `..%2f..%2f${owner}%2fmodels%2fprivate`,
    `..%252f${owner}%252fprivate`,
    `mine/../private`,
    `./private`,
    `private%00`,
    `private%20`,
    `tenants%2f${owner}%2fmodels%2fprivate`,
    `tenant%2f${owner}%2f`,
    `%70rivate`,
    `private;tenant=${owner}`,
    `PRIVATE`,
    `*`,
    `priv%2A`,
    `%24%7Baws:PrincipalTag%2Ftenant%7D`,
  ];
  const targets: OperationId[] = ['getModel', 'getModelMetadata', 'predict', 'getServing', 'getLineage'];
  return targets.flatMap((id) =>
    tricks.map((trick) => ({
      name: `path trick: ${id} ${trick}`,
      request: requestOf(id, { ...ids, model_name: trick, model_id: trick }),
    })),
  );
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens that say to be the owner's. */
function forgedTokens({ ids, attackerToken }: World): Attack[] {
  const [head, own, signature] = attackerToken.split('.') as [string, string, string];
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  const claims = {
    ...(JSON.parse(Buffer.from(own, 'base64url').toString()) as Record<string, unknown>),
    ...{ tenant: owner, sub: `user-of-${owner}`, role: 'admin' },
  };
  const payload = base64(claims);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signed = (changed: object, as: object = header): string => {
    const text = `${base64(as)}.${base64({ ...claims, ...changed })}`;
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const tokens: Record<string, string> = {
    'alg none': `${base64({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'alg None': `${base64({ alg: 'None', typ: 'JWT' })}.${payload}.${signature}`,
    'alg HS256': `${base64({ alg: 'HS256', typ: 'JWT' })}.${payload}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'a cut signature': `${head}.${payload}.${signature.slice(0, -8)}`,
    'a flipped signature': `${head}.${payload}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
    'another key': signed({}),
    'another key by jwk': signed({}, { ...header, jwk: { kty: 'RSA' } }),
    'another key by kid': signed({}, { ...header, kid: '../../../dev/null' }),
    'another key by jku': signed({}, { ...header, jku: 'http://127.0.0.1:1/jwks' }),
    expired: signed({ exp: 1 }),
    'another issuer': signed({ iss: 'https://elsewhere.example' }),
    'another audience': signed({ aud: 'elsewhere' }),
    'changed claims': `${head}.${payload}.${signature}`,
    garbage: 'garbage',
    'an API key': `tml_${'0'.repeat(48)}`,
  };
  const targets: OperationId[] = [
    'getModel',
    'listModels',
    'predict',
    'getDataset',
    'getJob',
    'getPrediction',
  ];
  return targets.flatMap((id) => [
    { name: `forged token: ${id} none`, request: requestOf(id, ids), token: null },
    ...Object.entries(tokens).map(([variant, token]) => ({
      name: `forged token: ${id} ${variant}`,
      ...{ request: requestOf(id, ids), token },
    })),
  ]);
}

/** Cursors of the owner, and cursors made up. */
function foreignCursors({ cursors }: World): Attack[] {
  const made = [
    `tenant/${owner}/`,
    `${owner}/private`,
    '',
    '0',
    'private',
    `{"pk":"tenant/${owner}/","sk":"job/"}`,
  ];
  const lists = all.filter((id) => {
    const { query }: Route = routes[id];
    return query !== undefined && 'cursor' in query.shape;
  });
  return lists.flatMap((id) =>
    [...cursors, ...made.map((text) => Buffer.from(text).toString('base64url'))].map((cursor, i) => {
      const request = requestOf(id, { model_name: 'mine' });
      return {
        name: `foreign cursor: ${id} ${i < cursors.length ? `of the owner, ${i}` : made[i - cursors.length]}`,
        request: { ...request, path: `${request.path}?cursor=${encodeURIComponent(cursor)}` },
        mayServe: true,
      };
    }),
  );
}

/** Links that were signed for the owner, or for the attacker, changed to lead to the owner's objects. */
function changedLinks({ links }: World): Attack[] {
  const changes: Record<string, (url: URL) => void> = {
    'another object': (url) => {
      url.pathname = url.pathname.replace('model.onnx', 'manifest.json');
    },
    'another tenant': (url) => {
      url.pathname = url.pathname.replace(`/tenants/${owner}/`, '/tenants/acme-two/');
    },
    'a longer life': (url) => url.searchParams.set('X-Amz-Expires', '604800'),
    'no signature': (url) => url.searchParams.delete('X-Amz-Signature'),
    'another signature': (url) => url.searchParams.set('X-Amz-Signature', '0'.repeat(64)),
    'a listing': (url) => {
      url.pathname = `/${url.pathname.split('/')[1]}`;
      url.searchParams.set('list-type', '2');
    },
  };
  return Object.entries(links).flatMap(([kind, link]) =>
    Object.entries(changes)
      // A signature is over the method as well.
      .flatMap(([variant, change]) =>
        ['GET', 'PUT', 'DELETE'].map((method) => {
          const url = new URL(link);
          change(url);
          const request = {
            method,
            path: `${url.pathname}${url.search}`,
            ...(method === 'PUT' ? { body: 'x' } : {}),
          };
          return {
            name: `changed link: ${kind} ${method} ${variant}`,
            request,
            token: null,
            url: url.origin,
          };
        }),
      ),
  );
}

const inStaging = (request: SentRequest): SentRequest => ({
  ...request,
  path: `${request.path}?environment=staging`,
});

/** What the owner has just used is in memory: it must not be found there by its name. */
function cacheProbes({ ids }: World): Attack[] {
  const warmedBy = requestOf('predict', ids);
  const probes: OperationId[] = [
    'predict',
    'predictAlias',
    'predictBatch',
    'infer',
    'targetedInvocations',
    'modelReady',
  ];
  return [
    ...probes.flatMap((id) =>
      Array.from({ length: 3 }, (_, i) => ({
        name: `cache probe: ${id} ${i}`,
        ...{ request: requestOf(id, ids), control: requestOf(id, nobody), warmedBy },
      })),
    ),
    // A pointer of its own, and a key of its own where pointers are kept.
    {
      name: 'cache probe: predict in staging',
      ...{ request: inStaging(requestOf('predict', ids)), control: inStaging(requestOf('predict', nobody)) },
      warmedBy: inStaging(warmedBy),
    },
    { name: 'cache probe: modelCache', request: requestOf('modelCache', ids), mayServe: true },
  ];
}

const sqlTexts = [
  "' OR '1'='1",
  "'; DROP TABLE ml_models; --",
  `' UNION SELECT manifest::text FROM ml_model_versions WHERE tenant_id = '${owner}' --`,
  `'; SELECT set_config('app.tenant', '${owner}', true); --`,
  `$$; SET app.tenant = '${owner}'; $$`,
];

/** SQL in every text: path parameters, query parameters and fields of bodies, however deep. */
function sqlInTexts({ ids }: World): Attack[] {
  const own = { ...ids, model_name: 'mine', model_id: 'mine' };
  return all.flatMap((id) => {
    const route: Route = routes[id];
    const inPath = parametersOf(route).map(
      (name) => [`path ${name}`, { ...own, [name]: '__SQL__' }] as const,
    );
    const inQuery = Object.keys(route.query?.shape ?? {});
    const body = bodyOf(id, own);
    const places: [string, SentRequest][] = [
      ...inPath.map(([where, with_]): [string, SentRequest] => [where, requestOf(id, with_)]),
      ...inQuery.map((name): [string, SentRequest] => {
        const request = requestOf(id, own);
        const path = request.path.split('?')[0];
        return [`query ${name}`, { ...request, path: `${path}?${name}=__SQL__` }];
      }),
      ...textPlaces(body ?? {}).map((where): [string, SentRequest] => [
        `body ${where.join('.')}`,
        { ...requestOf(id, own), body: JSON.stringify(replaced(body!, where)) },
      ]),
    ];
    return places.map(([where, request], i) => {
      const text = sqlTexts[(i + id.length) % sqlTexts.length]!;
      return {
        name: `SQL text: ${id} ${where}`,
        request: {
          ...request,
          path: request.path.replaceAll('__SQL__', encodeURIComponent(text)),
          ...(request.body === undefined
            ? {}
            : { body: request.body.replaceAll('__SQL__', JSON.stringify(text).slice(1, -1)) }),
        },
        mayServe: true,
      };
    });
  });
}

function textPlaces(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value === 'string') return [[...at]];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => textPlaces(inner, [...at, key]));
}

function replaced(body: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return '__SQL__';
  const copy = (Array.isArray(body) ? [...body] : { ...(body as object) }) as Record<string, unknown>;
  copy[first] = replaced(copy[first], rest);
  return copy;
}

export const families: Readonly<Record<string, (world: World) => Attack[]>> = {
  'foreign ids': foreignIds,
  'same names': sameNames,
  'stated tenants': statedTenant,
  'path tricks': pathTricks,
  'forged tokens': forgedTokens,
  'foreign cursors': foreignCursors,
  'changed links': changedLinks,
  'cache probes': cacheProbes,
  'SQL in texts': sqlInTexts,
};
