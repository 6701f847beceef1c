import { z } from 'zod';
import { Health } from './platform.ts';
import { ok, type Route } from './route.ts';

/** What is open to everybody. */
export const platformRoutes = {
  health: {
    method: 'GET',
    path: '/api/v1/ml/health',
    function: 'platform',
    authorized: false,
    tag: 'platform',
    summary: 'Whether the serving plane is up',
    answers: { ...ok(Health, 'Healthy'), 503: { description: 'A store does not answer', schema: Health } },
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    function: 'platform',
    authorized: false,
    tag: 'platform',
    summary: 'This document',
    answers: ok(z.record(z.string(), z.unknown()), 'OpenAPI 3.1'),
  },
} as const satisfies Record<string, Route>;
