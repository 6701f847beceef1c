/** The parts of a rule's target that shape what the target receives. */
export interface TargetInput {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: {
    readonly InputPathsMap?: Readonly<Record<string, string>>;
    readonly InputTemplate: string;
  };
}

/** JSON text that a target receives for an event. */
export function targetInput(target: TargetInput, event: unknown): string {
  if (target.Input !== undefined) {
    return target.Input;
  }
  if (target.InputTransformer !== undefined) {
    return transform(
      target.InputTransformer.InputTemplate,
      target.InputTransformer.InputPathsMap ?? {},
      event,
    );
  }
  return JSON.stringify(target.InputPath === undefined ? event : (select(event, target.InputPath) ?? {}));
}

/**
 * `<name>` in the template becomes the value that its path selects: inside quotes as text, elsewhere as JSON.
 * A value that is missing leaves nothing behind inside quotes, and null elsewhere.
 */
function transform(template: string, paths: Readonly<Record<string, string>>, event: unknown): string {
  const filled = template.replaceAll(
    /"((?:[^"\\]|\\.)*)"|<([\w.-]+)>/g,
    (_, quoted?: string, bare?: string) => {
      if (bare !== undefined) {
        return JSON.stringify(lookUp(bare, paths, event) ?? null);
      }
      return `"${(quoted ?? '').replaceAll(/<([\w.-]+)>/g, (_whole, name: string) => {
        const value = lookUp(name, paths, event) ?? '';
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        return JSON.stringify(text).slice(1, -1);
      })}"`;
    },
  );
  return isJson(filled) ? filled : JSON.stringify(filled);
}

function lookUp(name: string, paths: Readonly<Record<string, string>>, event: unknown): unknown {
  if (name === 'aws.events.event.json' || name === 'aws.events.event') {
    return event;
  }
  const path = paths[name];
  return path === undefined ? undefined : select(event, path);
}

/** The JSONPath that EventBridge allows: `$`, `$.detail.name`, `$.resources[0]`. */
export function select(value: unknown, path: string): unknown {
  let current = value;
  for (const match of path.replace(/^\$/, '').matchAll(/\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]/g)) {
    const key = match[1] ?? match[2] ?? match[3];
    current =
      current !== null && typeof current === 'object'
        ? (current as Record<string, unknown>)[key as string]
        : undefined;
  }
  return current;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
