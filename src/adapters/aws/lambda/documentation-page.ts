import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { config } from '../../../config.ts';
import type { Fallback } from './http-function.ts';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TenantML API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="documentation"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start =
  "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#documentation', deepLinking: true, docExpansion: 'list', defaultModelsExpandDepth: 0 });";

/** Files that the deployment puts beside the function's code. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};

const security = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

/** `GET /docs`: the OpenAPI document as a page to read and to try. */
export const documentationPage: Fallback = async (event) => {
  const { method, path } = event.requestContext.http;
  if (method !== 'GET') return undefined;
  if (path === '/docs' || path === '/docs/') return text(page, 'text/html; charset=utf-8');
  if (path === '/docs/start.js') return text(start, 'text/javascript; charset=utf-8');
  const name = /^\/docs\/([\w.-]+)$/.exec(path)?.[1];
  if (name === undefined || !Object.hasOwn(assets, name)) return undefined;
  const bytes = await readFile(join(config.taskRoot, name));
  return {
    statusCode: 200,
    headers: {
      ...security,
      'content-type': assets[name]!,
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=86400',
    },
    isBase64Encoded: true,
    body: gzipSync(bytes).toString('base64'),
  };
};

const text = (body: string, contentType: string) => ({
  statusCode: 200,
  headers: { ...security, 'content-type': contentType },
  body,
});
