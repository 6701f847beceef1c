import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../../..');

/** A copy of the synthesized app that can be changed; inside the repository, where functions find their modules. */
export class Mutant {
  readonly folder: string;

  constructor(name: string) {
    this.folder = join(repository, `.build/twin/mutant-${name}`);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    cpSync(join(repository, '.build/twin/cdk.out/'), this.folder, { recursive: true, dereference: true });
  }

  /** Changes the code of every function. @returns how many places were changed */
  code(pattern: RegExp, replacement: string): number {
    let places = 0;
    for (const file of this.#files('index.cjs')) {
      const text = readFileSync(file, 'utf8');
      const changed = text.replaceAll(pattern, (...found: string[]) => {
        places++;
        return replacement.replaceAll(/\$(\d)/g, (_, group: string) => found[Number(group)]!);
      });
      if (changed !== text) writeFileSync(file, changed);
    }
    return places;
  }

  /** Changes the policies of the roles. @returns how many places were changed */
  policies(pattern: RegExp, replacement: string): number {
    let places = 0;
    for (const file of this.#files('.template.json')) {
      const template = JSON.parse(readFileSync(file, 'utf8')) as {
        Resources: Record<string, { Type: string }>;
      };
      for (const [id, resource] of Object.entries(template.Resources)) {
        if (!/^AWS::IAM::(Role|Policy)$/.test(resource.Type)) continue;
        const text = JSON.stringify(resource).replaceAll(pattern, () => {
          places++;
          return replacement;
        });
        template.Resources[id] = JSON.parse(text) as { Type: string };
      }
      writeFileSync(file, JSON.stringify(template));
    }
    return places;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #files(ending: string): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending))
      .map((name) => join(this.folder, name));
  }
}
