import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { AwsServiceError } from '../aws/service-error.ts';
import type { Checksum, ObjectRecord, WriteCondition } from './object-record.ts';

export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  /** A file in the staging folder; the store takes it over. */
  readonly stagedFile: string;
  readonly bytes: number;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: Checksum | undefined;
}

type Row = Record<string, SQLInputValue>;

/**
 * Index in SQLite, bytes in files. A write is: stage the bytes, rename them into place, insert the row. A process
 * killed anywhere in between leaves at most a file without a row, which the next start removes. Nothing is
 * fsynced: the store survives the death of the process, not of the machine.
 */
export class ObjectStore {
  readonly stagingDirectory: string;
  readonly #objectsDirectory: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(directory: string) {
    this.stagingDirectory = join(directory, 'staging');
    this.#objectsDirectory = join(directory, 'objects');
    rmSync(this.stagingDirectory, { recursive: true, force: true });
    mkdirSync(this.stagingDirectory, { recursive: true });
    mkdirSync(this.#objectsDirectory, { recursive: true });
    this.#database = new DatabaseSync(join(directory, 'index.sqlite'));
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = OFF;
      CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, versioned INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS objects (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
        is_latest INTEGER NOT NULL, is_delete_marker INTEGER NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL,
        modified_ms INTEGER NOT NULL, headers TEXT NOT NULL, checksum TEXT, file TEXT NOT NULL);
      CREATE UNIQUE INDEX IF NOT EXISTS latest ON objects (bucket, key) WHERE is_latest = 1;
      CREATE INDEX IF NOT EXISTS versions ON objects (bucket, key, sequence);
      CREATE INDEX IF NOT EXISTS files ON objects (file) WHERE file <> '';
      CREATE TABLE IF NOT EXISTS uploads (
        upload_id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, initiated_ms INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS parts (
        upload_id TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, bytes INTEGER NOT NULL, file TEXT NOT NULL,
        PRIMARY KEY (upload_id, number));`);
    this.#removeOrphans();
  }

  createBucket(name: string, versioned: boolean): void {
    this.run(
      'INSERT INTO buckets VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET versioned = excluded.versioned',
      [name, versioned ? 1 : 0],
    );
  }

  /** Whether versions are kept; undefined when there is no such bucket. */
  isVersioned(bucket: string): boolean | undefined {
    const row = this.row('SELECT versioned FROM buckets WHERE name = ?', [bucket]);
    return row === undefined ? undefined : row.versioned === 1;
  }

  /** The latest version, which may be a delete marker. */
  latest(bucket: string, key: string): ObjectRecord | undefined {
    return toRecord(
      this.row('SELECT * FROM objects WHERE bucket = ? AND key = ? AND is_latest = 1', [bucket, key]),
    );
  }

  version(bucket: string, key: string, versionId: string): ObjectRecord | undefined {
    return toRecord(
      this.row('SELECT * FROM objects WHERE bucket = ? AND key = ? AND version_id = ?', [
        bucket,
        key,
        versionId,
      ]),
    );
  }

  /** Moves a file into the store's own naming; the file has no row yet. */
  adopt(stagedFile: string): string {
    const name = randomUUID();
    const directory = join(this.#objectsDirectory, name.slice(0, 2));
    mkdirSync(directory, { recursive: true });
    const file = join(directory, name);
    renameSync(stagedFile, file);
    return file;
  }

  /** Writes a new version if the condition holds. Synchronous from check to insert, hence atomic. */
  put(object: NewObject, condition: WriteCondition = {}): ObjectRecord {
    this.#check(object.bucket, object.key, condition);
    const file = this.adopt(object.stagedFile);
    return this.#insert({
      ...object,
      file,
      isDeleteMarker: false,
      versionId: this.isVersioned(object.bucket) ? newVersionId() : 'null',
      modifiedMs: Date.now(),
    });
  }

  /** Removes the current version; in a versioned bucket by a delete marker, which is returned. */
  delete(bucket: string, key: string): ObjectRecord | undefined {
    if (!this.isVersioned(bucket)) {
      this.#removeVersion(this.latest(bucket, key));
      return undefined;
    }
    return this.#insert({
      bucket,
      key,
      versionId: newVersionId(),
      isDeleteMarker: true,
      bytes: 0,
      etag: '',
      modifiedMs: Date.now(),
      headers: {},
      checksum: undefined,
      file: '',
    });
  }

  /** Removes one version for good; the version before it becomes the latest. */
  deleteVersion(bucket: string, key: string, versionId: string): ObjectRecord | undefined {
    const record = this.version(bucket, key, versionId);
    this.#removeVersion(record);
    return record;
  }

  run(sql: string, parameters: SQLInputValue[]): void {
    this.#prepare(sql).run(...parameters);
  }

  row(sql: string, parameters: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...parameters) as Row | undefined;
  }

  rows(sql: string, parameters: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...parameters) as Row[];
  }

  records(sql: string, parameters: SQLInputValue[]): ObjectRecord[] {
    return this.rows(sql, parameters).map((row) => toRecord(row) as ObjectRecord);
  }

  close(): void {
    this.#database.close();
  }

  #check(bucket: string, key: string, condition: WriteCondition): void {
    if (condition.mustNotExist !== true && condition.mustMatchEtag === undefined) {
      return;
    }
    const latest = this.latest(bucket, key);
    const exists = latest !== undefined && !latest.isDeleteMarker;
    if (condition.mustNotExist === true && exists) {
      throw preconditionFailed('If-None-Match');
    }
    if (condition.mustMatchEtag !== undefined) {
      if (!exists) {
        throw new AwsServiceError('NoSuchKey', 'The specified key does not exist.', 404);
      }
      if (latest.etag !== condition.mustMatchEtag) {
        throw preconditionFailed('If-Match');
      }
    }
  }

  #insert(record: Omit<ObjectRecord, 'isLatest'>): ObjectRecord {
    const replaced =
      record.versionId === 'null' ? this.version(record.bucket, record.key, 'null') : undefined;
    this.#transaction(() => {
      this.run('UPDATE objects SET is_latest = 0 WHERE bucket = ? AND key = ? AND is_latest = 1', [
        record.bucket,
        record.key,
      ]);
      if (replaced !== undefined) {
        this.run('DELETE FROM objects WHERE bucket = ? AND key = ? AND version_id = ?', [
          record.bucket,
          record.key,
          'null',
        ]);
      }
      this.run(
        `INSERT INTO objects (bucket, key, version_id, is_latest, is_delete_marker, bytes, etag, modified_ms, headers, checksum, file)
         VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
        [
          record.bucket,
          record.key,
          record.versionId,
          record.isDeleteMarker ? 1 : 0,
          record.bytes,
          record.etag,
          record.modifiedMs,
          JSON.stringify(record.headers),
          record.checksum === undefined ? null : JSON.stringify(record.checksum),
          record.file,
        ],
      );
    });
    removeFile(replaced?.file);
    return { ...record, isLatest: true };
  }

  #removeVersion(record: ObjectRecord | undefined): void {
    if (record === undefined) {
      return;
    }
    const { bucket, key } = record;
    this.#transaction(() => {
      this.run('DELETE FROM objects WHERE bucket = ? AND key = ? AND version_id = ?', [
        bucket,
        key,
        record.versionId,
      ]);
      this.run(
        `UPDATE objects SET is_latest = 1
          WHERE sequence = (SELECT max(sequence) FROM objects WHERE bucket = ? AND key = ?)`,
        [bucket, key],
      );
    });
    removeFile(record.file);
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Files that a killed process renamed into place without reaching the insert. */
  #removeOrphans(): void {
    for (const entry of readdirSync(this.#objectsDirectory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) {
        const file = join(entry.parentPath, entry.name);
        const used =
          this.row('SELECT 1 FROM objects WHERE file = ?', [file]) ??
          this.row('SELECT 1 FROM parts WHERE file = ?', [file]);
        if (used === undefined) {
          removeFile(file);
        }
      }
    }
  }
}

function toRecord(row: Row | undefined): ObjectRecord | undefined {
  return row === undefined
    ? undefined
    : {
        bucket: String(row.bucket),
        key: String(row.key),
        versionId: String(row.version_id),
        isLatest: row.is_latest === 1,
        isDeleteMarker: row.is_delete_marker === 1,
        bytes: Number(row.bytes),
        etag: String(row.etag),
        modifiedMs: Number(row.modified_ms),
        headers: JSON.parse(String(row.headers)) as Record<string, string>,
        checksum: row.checksum === null ? undefined : (JSON.parse(String(row.checksum)) as Checksum),
        file: String(row.file),
      };
}

function removeFile(file: string | undefined): void {
  if (file) {
    try {
      unlinkSync(file);
    } catch {
      // Already gone; readers that have it open keep reading.
    }
  }
}

function newVersionId(): string {
  return randomBytes(24).toString('base64url');
}

function preconditionFailed(condition: string): AwsServiceError {
  return new AwsServiceError(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    412,
    { Condition: condition },
  );
}
