import { z } from 'zod';
import { DatabaseHealth, Health } from './platform.ts';
import { ok, type Route } from './route.ts';

/** What is open to everybody. */
export const platformRoutes = {
  health: {
    method: 'GET',
    path: '/api/v1/ml/health',
    function: 'platform',
    authorized: false,
    tag: 'platform',
    summary: 'Whether the platform is up: store, tables, queue, and the database as it was last found',
    description:
      'May be asked as often as one likes: it never wakes the database, which sleeps while nobody uses the registry.',
    answers: {
      ...ok(Health, 'Healthy'),
      503: { description: 'Something that is needed does not answer', schema: Health },
    },
  },
  databaseHealth: {
    method: 'GET',
    path: '/api/v1/ml/health/database',
    function: 'registry',
    authorized: true,
    scope: 'models:read',
    tag: 'platform',
    summary: 'Ask the database of the registry now, waking it if it sleeps',
    answers: ok(DatabaseHealth, 'It answers'),
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
