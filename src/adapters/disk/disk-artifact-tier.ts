import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ArtifactRef,
  type ArtifactTier,
  DigestMismatchError,
  type TieredArtifact,
  type TierFigures,
} from '../../serving/artifact-tier.ts';
import { isTierFile, tierFile } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** Their bytes are in memory until they are written. */
const maxWriting = 8;

/**
 * Artifacts in a folder of this machine, bounded by bytes; the least recently used goes first.
 *
 * Each tenant has a folder of its own, in which files are named by their sha256: equal bytes of two tenants are two
 * files. A file appears whole (written aside, then renamed) and is verified whenever it is read, so what another
 * process left there, or damaged, can do no more than cost a fetch. Nothing here fails a caller: what cannot be read
 * is fetched, what cannot be written is not kept.
 */
export class DiskArtifactTier implements ArtifactTier {
  readonly #folder: string;
  readonly #limitBytes: number;
  /** Sizes of the files, least recently used first; complete once the folder was read. */
  readonly #sizes = new Map<string, number>();
  readonly #pending = new Map<string, Promise<TieredArtifact | undefined>>();
  /** Written or waiting for it. */
  readonly #writing = new Map<string, Promise<void>>();
  #lastWrite = Promise.resolve();
  #scanned: Promise<void> | undefined;
  #usedBytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #damaged = 0;
  #writeFailures = 0;

  constructor(folder: string, limitBytes: number) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
  }

  async get(
    tenant: TenantContext,
    artifact: ArtifactRef,
    fetch: () => Promise<Uint8Array | undefined>,
  ): Promise<TieredArtifact | undefined> {
    const name = tierFile(tenant, artifact.sha256);
    const pending = this.#pending.get(name);
    if (pending !== undefined) return await pending;
    const answer = this.#get(name, artifact, fetch).finally(() => this.#pending.delete(name));
    this.#pending.set(name, answer);
    return await answer;
  }

  async #get(
    name: string,
    { key, sha256 }: ArtifactRef,
    fetch: () => Promise<Uint8Array | undefined>,
  ): Promise<TieredArtifact | undefined> {
    await this.#scan();
    await this.#writing.get(name);
    if (this.#sizes.has(name)) {
      const bytes = await readFile(join(this.#folder, name)).catch(() => undefined);
      if (bytes !== undefined && digestOf(bytes) === sha256) {
        this.#touch(name);
        this.#hits++;
        return { bytes, source: 'disk' };
      }
      this.#damaged++;
      await this.#drop(name);
    }
    this.#misses++;
    const bytes = await fetch();
    if (bytes === undefined) return undefined;
    if (digestOf(bytes) !== sha256) throw new DigestMismatchError(key, sha256);
    // Nobody waits for the disk: who asked has the bytes already.
    this.#write(name, bytes);
    return { bytes, source: 'store' };
  }

  figures(): TierFigures {
    return {
      limitBytes: this.#limitBytes,
      usedBytes: this.#usedBytes,
      files: this.#sizes.size,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      damaged: this.#damaged,
      writeFailures: this.#writeFailures,
    };
  }

  /** @returns when everything that was fetched so far is on the disk, or given up */
  async written(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  /** One file after the other; what comes faster than the disk takes it is not kept. */
  #write(name: string, bytes: Uint8Array): void {
    if (bytes.length > this.#limitBytes || this.#writing.size >= maxWriting) return;
    this.#lastWrite = this.#lastWrite
      .then(() => this.#keep(name, bytes))
      .finally(() => this.#writing.delete(name));
    this.#writing.set(name, this.#lastWrite);
  }

  async #keep(name: string, bytes: Uint8Array): Promise<void> {
    await this.#makeRoom(bytes.length);
    this.#sizes.set(name, bytes.length);
    this.#usedBytes += bytes.length;
    const path = join(this.#folder, name);
    const aside = `${path}.${randomUUID()}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(aside, bytes, { mode: 0o600 });
      await rename(aside, path);
    } catch {
      this.#writeFailures++;
      await rm(aside, { force: true }).catch(() => undefined);
      await this.#drop(name);
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    for (const name of this.#sizes.keys()) {
      if (this.#usedBytes + bytes <= this.#limitBytes) return;
      this.#evictions++;
      await this.#drop(name);
    }
  }

  /** The bytes count until the file is gone. */
  async #drop(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true }).catch(() => undefined);
    const bytes = this.#sizes.get(name);
    if (bytes === undefined) return;
    this.#sizes.delete(name);
    this.#usedBytes -= bytes;
  }

  #touch(name: string): void {
    const bytes = this.#sizes.get(name);
    if (bytes === undefined) return;
    this.#sizes.delete(name);
    this.#sizes.set(name, bytes);
  }

  /** Once, at first use: takes over what is there, oldest first, and removes what was left half written. */
  #scan(): Promise<void> {
    this.#scanned ??= this.#readFolder();
    return this.#scanned;
  }

  async #readFolder(): Promise<void> {
    const found: { name: string; bytes: number; modifiedMs: number }[] = [];
    for (const tenant of await readdir(this.#folder).catch(() => [])) {
      for (const file of await readdir(join(this.#folder, tenant)).catch(() => [])) {
        const name = `${tenant}/${file}`;
        if (!isTierFile(name)) {
          await rm(join(this.#folder, name), { force: true, recursive: true }).catch(() => undefined);
          continue;
        }
        const about = await stat(join(this.#folder, name)).catch(() => undefined);
        if (about?.isFile()) found.push({ name, bytes: about.size, modifiedMs: about.mtimeMs });
      }
    }
    for (const { name, bytes } of found.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      this.#sizes.set(name, bytes);
      this.#usedBytes += bytes;
    }
    await this.#makeRoom(0);
  }
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
