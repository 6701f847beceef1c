/** Hears how far something is that takes its time: an upload, a job. */
export interface Progress {
  /** @param step what is done now. @param fraction of it, or of the job that it is a step of, 0 to 1 */
  update(step: string, fraction: number): void;
  /** It has ended, one way or the other. */
  clear?(): void;
}

export type OnProgress = (step: string, fraction: number) => void;

/** @returns what a callback hears, if there is one */
export const progressTo = (onProgress: OnProgress | undefined): Progress | undefined =>
  onProgress === undefined ? undefined : { update: onProgress };
