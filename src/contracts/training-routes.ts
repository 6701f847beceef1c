import { z } from 'zod';
import { JobId } from './names.ts';
import { Page } from './page.ts';
import { defaultBodyBytes, ok, type Route } from './route.ts';
import { Job, JobList, ModelTrainingRequest, ModelTrainingResponse } from './training.ts';

/** Trainings, and jobs of every kind. */
export const trainingRoutes = {
  trainModel: {
    method: 'POST',
    path: '/api/v1/ml/train',
    function: 'train',
    authorized: true,
    scope: 'models:write',
    tag: 'training',
    summary: 'Train a model',
    description: 'Answers at once with a job; follow it with GET /api/v1/ml/jobs/{job_id}.',
    body: ModelTrainingRequest,
    example: { model_name: 'ticket-priority', dataset_id: '0'.repeat(64), target: 'priority' },
    maxBodyBytes: defaultBodyBytes,
    answers: { 202: { description: 'The job', schema: ModelTrainingResponse } },
  },
  listJobs: {
    method: 'GET',
    path: '/api/v1/ml/jobs',
    function: 'train',
    authorized: true,
    scope: 'jobs:read',
    tag: 'training',
    summary: 'List jobs, newest first',
    query: Page,
    answers: ok(JobList, 'A page of jobs'),
  },
  getJob: {
    method: 'GET',
    path: '/api/v1/ml/jobs/{job_id}',
    function: 'train',
    authorized: true,
    scope: 'jobs:read',
    tag: 'training',
    summary: 'Show a job',
    params: z.object({ job_id: JobId }),
    answers: ok(Job, 'The job'),
  },
  cancelJob: {
    method: 'DELETE',
    path: '/api/v1/ml/jobs/{job_id}',
    function: 'train',
    authorized: true,
    scope: 'jobs:write',
    tag: 'training',
    summary: 'Cancel a job',
    params: z.object({ job_id: JobId }),
    answers: ok(Job, 'The cancelled job'),
  },
} as const satisfies Record<string, Route>;
