import { TwinError } from '../errors.ts';

/** What an intrinsic function can ask of the template around it. */
export interface IntrinsicScope {
  ref(logicalId: string): unknown;
  attribute(logicalId: string, attribute: string): unknown;
  importValue(exportName: string): unknown;
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): unknown;
  readonly where: string;
}

/** `AWS::NoValue` removes the property that holds it. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** Replaces every intrinsic function inside a value by what it stands for. */
export function resolveValue(value: unknown, scope: IntrinsicScope): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolveValue(item, scope)).filter((item) => item !== NO_VALUE);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    return resolveFunction(first[0], first[1], scope);
  }
  const result: Record<string, unknown> = {};
  for (const [key, inner] of entries) {
    const resolved = resolveValue(inner, scope);
    if (resolved !== NO_VALUE) {
      result[key] = resolved;
    }
  }
  return result;
}

function resolveFunction(name: string, argument: unknown, scope: IntrinsicScope): unknown {
  switch (name) {
    case 'Ref':
      return scope.ref(String(argument));
    case 'Fn::GetAtt': {
      const [logicalId, ...path] = Array.isArray(argument)
        ? argument.map(String)
        : String(argument).split('.');
      return scope.attribute(logicalId as string, path.join('.'));
    }
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown];
      return (resolveValue(parts, scope) as unknown[]).map(text).join(separator);
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::Select': {
      const [index, list] = resolveValue(argument, scope) as [unknown, unknown[]];
      return list[Number(index)];
    }
    case 'Fn::Split': {
      const [separator, source] = resolveValue(argument, scope) as [string, unknown];
      return text(source).split(separator);
    }
    case 'Fn::ImportValue':
      return scope.importValue(text(resolveValue(argument, scope)));
    case 'Fn::If': {
      const [condition, whenTrue, whenFalse] = argument as [string, unknown, unknown];
      return resolveValue(scope.condition(condition) ? whenTrue : whenFalse, scope);
    }
    case 'Fn::FindInMap': {
      const [map, first, second] = (resolveValue(argument, scope) as unknown[]).map(text);
      return scope.mapping(map as string, first as string, second as string);
    }
    case 'Fn::Base64':
      return Buffer.from(text(resolveValue(argument, scope))).toString('base64');
    case 'Fn::GetAZs':
      return ['us-east-1a', 'us-east-1b', 'us-east-1c'];
    default:
      throw new TwinError('INTRINSIC_UNSUPPORTED', `${scope.where}: the twin does not resolve ${name}`);
  }
}

/** Conditions have functions of their own. */
export function resolveCondition(value: unknown, scope: IntrinsicScope): boolean {
  const [name, argument] = Object.entries(value as Record<string, unknown>)[0] as [string, unknown];
  switch (name) {
    case 'Fn::Equals': {
      const [left, right] = resolveValue(argument, scope) as [unknown, unknown];
      return text(left) === text(right);
    }
    case 'Fn::And':
      return (argument as unknown[]).every((inner) => resolveCondition(inner, scope));
    case 'Fn::Or':
      return (argument as unknown[]).some((inner) => resolveCondition(inner, scope));
    case 'Fn::Not':
      return !resolveCondition((argument as unknown[])[0], scope);
    case 'Condition':
      return scope.condition(String(argument));
    default:
      throw new TwinError(
        'INTRINSIC_UNSUPPORTED',
        `${scope.where}: the twin does not resolve ${name} in a condition`,
      );
  }
}

function substitute(argument: unknown, scope: IntrinsicScope): string {
  const [template, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [
    string,
    Record<string, unknown>,
  ];
  return template.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) {
      return `\${${name}}`;
    }
    const key = name.trim();
    if (key in variables) {
      return text(resolveValue(variables[key], scope));
    }
    const dot = key.indexOf('.');
    return text(dot < 0 ? scope.ref(key) : scope.attribute(key.slice(0, dot), key.slice(dot + 1)));
  });
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}
