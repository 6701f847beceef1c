import { TwinError } from '../errors.ts';

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'greedy'; readonly name: string };

/** One route of an HTTP API, parsed from its key: `GET /a/{id}`, `ANY /a/{proxy+}`, `$default`. */
export interface Route<Target> {
  readonly routeKey: string;
  readonly method: string;
  /** `/a/{id}`, as API Gateway names it in a permission's source ARN. */
  readonly path: string;
  readonly segments: readonly Segment[] | undefined;
  readonly target: Target;
}

export interface RouteMatch<Target> {
  readonly route: Route<Target>;
  readonly pathParameters: Readonly<Record<string, string>>;
}

export function parseRoute<Target>(routeKey: string, target: Target): Route<Target> {
  if (routeKey === '$default') {
    return { routeKey, method: 'ANY', path: '$default', segments: undefined, target };
  }
  const match = /^(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/.*)$/.exec(routeKey);
  if (match === null) {
    throw new TwinError('ROUTE_KEY_INVALID', `route key ${JSON.stringify(routeKey)} is not "METHOD /path"`);
  }
  const path = match[2] as string;
  return { routeKey, method: match[1] as string, path, segments: splitPath(path).map(parseSegment), target };
}

function parseSegment(text: string): Segment {
  const match = /^\{([^}+]+)(\+?)\}$/.exec(text);
  if (match === null) return { kind: 'literal', text };
  return { kind: match[2] === '+' ? 'greedy' : 'parameter', name: match[1] as string };
}

/**
 * The route that API Gateway picks: the most specific path (literal before parameter before greedy, from the
 * left), of equal paths the one that names the method, `$default` when nothing else fits.
 */
export function matchRoute<Target>(
  routes: readonly Route<Target>[],
  method: string,
  path: string,
): RouteMatch<Target> | undefined {
  const parts = splitPath(path);
  let best: (RouteMatch<Target> & { rank: string }) | undefined;
  for (const route of routes) {
    if (route.method !== 'ANY' && route.method !== method) continue;
    const fit =
      route.segments === undefined ? { pathParameters: {}, rank: '' } : fitSegments(route.segments, parts);
    if (fit === undefined) continue;
    const rank = route.segments === undefined ? '' : `${fit.rank}${route.method === 'ANY' ? '0' : '1'}`;
    if (best === undefined || rank > best.rank) {
      best = { route, pathParameters: fit.pathParameters, rank };
    }
  }
  return best;
}

function fitSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): { pathParameters: Record<string, string>; rank: string } | undefined {
  const pathParameters: Record<string, string> = {};
  let rank = '';
  for (const [i, segment] of segments.entries()) {
    const part = parts[i];
    if (part === undefined || part === '') return undefined;
    if (segment.kind === 'greedy') {
      pathParameters[segment.name] = parts.slice(i).map(decodeURIComponent).join('/');
      return { pathParameters, rank: `${rank}2` };
    }
    if (segment.kind === 'literal') {
      if (segment.text !== part) return undefined;
      rank += '4';
    } else {
      pathParameters[segment.name] = decodeURIComponent(part);
      rank += '3';
    }
  }
  return parts.length === segments.length ? { pathParameters, rank } : undefined;
}

function splitPath(path: string): string[] {
  return path.slice(1).split('/');
}

/** Whether a path is one that may reach a function: well-formed escapes, no climbing, no control characters. */
export function isHarmlessPath(path: string): boolean {
  if (!path.startsWith('/')) return false;
  try {
    return splitPath(path).every((segment) => {
      const decoded = decodeURIComponent(segment);
      return (
        !hasControlCharacter(decoded) && !decoded.split(/[/\\]/).some((part) => part === '..' || part === '.')
      );
    });
  } catch {
    return false;
  }
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
