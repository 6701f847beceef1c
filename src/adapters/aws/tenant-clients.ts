import type { SessionCredentials, TenantSessions } from '../../tenancy/credentials.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/**
 * SDK clients of one service: the function's own, and one for each session of a tenant. A client lives as long as its
 * session is kept; all of them share the connections of the own one, so that none has to be closed.
 */
export class TenantClients<Client extends object> {
  /** For what has no tenant. */
  readonly own: Client;
  readonly #sessions: TenantSessions;
  readonly #make: (session: SessionCredentials) => Client;
  readonly #ofSession = new WeakMap<SessionCredentials, Client>();

  constructor(own: Client, sessions: TenantSessions, make: (session: SessionCredentials) => Client) {
    this.own = own;
    this.#sessions = sessions;
    this.#make = make;
  }

  /** @throws {TenantSessionError} */
  async of(tenant: TenantContext): Promise<Client> {
    return this.#of(await this.#sessions.of(tenant));
  }

  /** For links: what is signed ends with the session. @param leftMs - how long the session has to last from now */
  async signing(tenant: TenantContext, leftMs: number): Promise<{ client: Client; expiresAtMs: number }> {
    const session = await this.#sessions.of(tenant, leftMs);
    return { client: this.#of(session), expiresAtMs: session.expiresAtMs };
  }

  #of(session: SessionCredentials): Client {
    let client = this.#ofSession.get(session);
    if (client === undefined) {
      client = this.#make(session);
      this.#ofSession.set(session, client);
    }
    return client;
  }
}
