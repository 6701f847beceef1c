import type { Clock } from '../clock.ts';
import type { Health } from '../contracts/platform.ts';

/** How the database was when a function last asked it something. */
export interface DatabaseContact {
  readonly reached: boolean;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Why it was not reached. */
  readonly code?: string;
}

/** Where the last contact is kept, beside the database. */
export interface DatabaseContacts {
  /** Keeps it unless a later one is there. */
  put(contact: DatabaseContact): Promise<void>;
  last(): Promise<DatabaseContact | undefined>;
}

/** A function that goes on reaching the database says so again after this time. */
const saidAgainAfterMs = 60_000;
/** A failure that is older says nothing of now: nobody has asked since. */
const failureHoldsMs = 5 * 60_000;

/**
 * Tells the others how the database is, as the calls of this process find it. Where that cannot be kept, no call
 * fails by it.
 */
export class ContactTeller {
  readonly #contacts: Pick<DatabaseContacts, 'put'>;
  readonly #clock: Clock;
  #said: DatabaseContact | undefined;

  constructor(contacts: Pick<DatabaseContacts, 'put'>, clock: Clock) {
    this.#contacts = contacts;
    this.#clock = clock;
  }

  /** @param code - why it was not reached */
  async tell(reached: boolean, code?: string): Promise<void> {
    const atMs = this.#clock.nowMs();
    const said = this.#said;
    if (said?.reached === reached && atMs - said.atMs < saidAgainAfterMs) return;
    const contact: DatabaseContact = { reached, atMs, ...(code === undefined ? {} : { code }) };
    // Before it is kept: calls that overlap say it once.
    this.#said = contact;
    await this.#contacts.put(contact).catch(() => {
      if (this.#said === contact) this.#said = said;
    });
  }
}

/**
 * @returns what the last contact says of the database now. One that was reached may sleep since, and wakes when it is
 * asked; nothing is known where nobody has asked, or not since it was away.
 */
export function databaseCheck(contact: DatabaseContact | undefined, nowMs: number): Health['checks'][string] {
  if (contact === undefined) return { status: 'unknown' };
  const { reached, atMs, code } = contact;
  const about = {
    checked_at: new Date(atMs).toISOString(),
    ...(code === undefined ? {} : { code }),
  };
  if (reached) return { status: 'healthy', ...about };
  return { status: nowMs - atMs < failureHoldsMs ? 'unhealthy' : 'unknown', ...about };
}
