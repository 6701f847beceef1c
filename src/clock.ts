/** Time, given to whoever needs it, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

export const isoAt = (epochMs: number): string => new Date(epochMs).toISOString();
