import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { OpenInferenceError } from './open-inference.ts';
import { Problem } from './problem.ts';
import { type OperationId, type Route, routes } from './routes.ts';
import { ScoringError } from './scoring.ts';

const problem = { 'application/problem+json': { schema: Problem } };
const failureContent = {
  'open-inference': { 'application/json': { schema: OpenInferenceError } },
  scoring: { 'application/json': { schema: ScoringError } },
};

const failure = (description: string, { dialect }: Route) => ({
  description,
  content: dialect === undefined ? problem : failureContent[dialect],
});

function operationOf(operationId: string, route: Route): ZodOpenApiOperationObject {
  const headers = {
    ...(route.method === 'POST' && route.function !== 'predict' && route.authorized && !route.holdsSecret
      ? {
          'Idempotency-Key': z
            .string()
            .min(1)
            .max(255)
            .optional()
            .meta({ description: 'The same key and body give the first answer again for a day' }),
        }
      : {}),
    ...(route.conditional === true
      ? {
          'If-Match': z.string().optional().meta({
            description: 'The ETag of what is changed, as it was read; 412 when it has changed since',
          }),
        }
      : {}),
  };
  const header = Object.keys(headers).length === 0 ? undefined : z.object(headers);
  return {
    operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    // https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object: names that the caller must have.
    security: route.authorized ? [{ bearer: [route.scope] }] : [],
    requestParams: {
      ...(route.params === undefined ? {} : { path: route.params }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(header === undefined ? {} : { header }),
    },
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: route.body,
                ...(route.example === undefined ? {} : { example: route.example }),
              },
            },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [
          status,
          { description: answer.description, content: { 'application/json': { schema: answer.schema } } },
        ]),
      ),
      '4XX': failure('The request was refused; the answer says by which rule', route),
      '5XX': failure('The platform failed; the request may be sent again', route),
    },
  };
}

/** @returns the OpenAPI 3.1 document of the route table. */
export function openApiDocument(version: string): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const operationId of Object.keys(routes) as OperationId[]) {
    const route: Route = routes[operationId];
    const path = paths[route.path] ?? {};
    paths[route.path] = { ...path, [route.method.toLowerCase()]: operationOf(operationId, route) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'TenantML',
      version,
      description: 'Train, register, deploy and serve classical models for every tenant of a SaaS product.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An OIDC access token, or an API key' },
      },
    },
  });
}
