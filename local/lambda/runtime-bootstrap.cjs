/**
 * What Lambda's Node runtime does inside an execution environment: loads the handler, then takes one invocation
 * after another from the Runtime API. CommonJS, and without imports beyond net, so that it costs a cold start little.
 *
 * The Runtime API is HTTP/1.1 over one kept connection, spoken by hand: response and next request leave in one
 * write (pipelining), which halves the round trips of a warm call. When the connection closes, the twin is gone,
 * and so is this process.
 */
const { existsSync } = require('node:fs');
const { connect } = require('node:net');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const BASE = '/2018-06-01/runtime';

// Not a feature of Lambda: it only makes local cold starts cheaper, without changing what they do.
if (process.argv[2]) enableCompileCache(process.argv[2]);

const socket = connect({ host, port: Number(port), noDelay: true });
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(0));

let buffered = Buffer.alloc(0);
const waiting = [];

socket.on('data', (chunk) => {
  buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
  for (;;) {
    const end = buffered.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = buffered.toString('latin1', 0, end).split('\r\n');
    const headers = {};
    for (let i = 1; i < lines.length; i++) {
      const colon = lines[i].indexOf(':');
      headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
    }
    const length = Number(headers['content-length'] ?? 0);
    if (buffered.length < end + 4 + length) return;
    const body = buffered.subarray(end + 4, end + 4 + length);
    buffered = buffered.subarray(end + 4 + length);
    waiting.shift()?.({ headers, body });
  }
});

function request(method, path, body) {
  const answered = new Promise((resolve) => waiting.push(resolve));
  const payload = body ?? '';
  socket.write(
    `${method} ${BASE}${path} HTTP/1.1\r\nhost: runtime\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`,
  );
  return answered;
}

function errorBody(error) {
  if (error instanceof Error) {
    return JSON.stringify({
      errorType: error.name || 'Error',
      errorMessage: error.message,
      trace: (error.stack ?? '').split('\n'),
    });
  }
  return JSON.stringify({ errorType: typeof error, errorMessage: String(error), trace: [] });
}

function logError(kind, error, requestId) {
  const { errorType, errorMessage, trace } = JSON.parse(errorBody(error));
  const line = {
    level: 'ERROR',
    timestamp: new Date().toISOString(),
    message: kind,
    requestId,
    errorType,
    errorMessage,
  };
  process.stderr.write(`${JSON.stringify({ ...line, stackTrace: trace })}\n`);
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

async function loadHandler() {
  const [file, name] = process.env._HANDLER.split('.');
  const path = join(process.env.LAMBDA_TASK_ROOT, file);
  const module = require(['.js', '.cjs'].map((end) => path + end).find(existsSync) ?? path);
  if (typeof module[name] !== 'function') {
    const error = new Error(`${process.env._HANDLER} is undefined or not exported`);
    error.name = 'Runtime.HandlerNotFound';
    throw error;
  }
  return module[name];
}

let currentRequestId;

async function fatal(kind, error) {
  const wrapped = error instanceof Error ? error : new Error(String(error));
  logError(kind, wrapped, currentRequestId);
  const path = currentRequestId === undefined ? '/init/error' : `/invocation/${currentRequestId}/error`;
  if (kind !== 'Init Error') wrapped.name = kind;
  await request('POST', path, errorBody(wrapped));
  process.exit(1);
}

process.on('uncaughtException', (error) => void fatal('Runtime.UnhandledError', error));
process.on('unhandledRejection', (error) => void fatal('Runtime.UnhandledPromiseRejection', error));

async function main() {
  let handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    return fatal('Init Error', error);
  }
  let next = request('GET', '/invocation/next');
  for (;;) {
    const { headers, body } = await next;
    const requestId = headers['lambda-runtime-aws-request-id'];
    currentRequestId = requestId;
    process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
    let path = `/invocation/${requestId}/response`;
    let answer;
    try {
      const result = await handler(JSON.parse(body.toString('utf8')), contextOf(headers));
      answer = JSON.stringify(result === undefined ? null : result);
    } catch (error) {
      logError('Invoke Error', error, requestId);
      path = `/invocation/${requestId}/error`;
      answer = errorBody(error);
    }
    currentRequestId = undefined;
    void request('POST', path, answer);
    next = request('GET', '/invocation/next');
  }
}

void main();
