export interface Checksum {
  readonly algorithm: string;
  /** Base64, as in the header. */
  readonly value: string;
}

/** One version of an object, or a delete marker. */
export interface ObjectRecord {
  readonly bucket: string;
  readonly key: string;
  /** `null` in a bucket that never was versioned. */
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  readonly bytes: number;
  /** Without the quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
  /** Headers stored with the object: content type and kin, `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: Checksum | undefined;
  /** Path of the bytes; empty for a delete marker. */
  readonly file: string;
}

/** What must hold of the current version for a write to happen. */
export interface WriteCondition {
  /** `If-None-Match: *` */
  readonly mustNotExist?: boolean;
  /** `If-Match: "<etag>"` */
  readonly mustMatchEtag?: string;
}
