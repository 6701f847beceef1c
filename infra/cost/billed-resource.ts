/** A resource of a synthesized template, as far as its price goes. */
export interface BilledResource {
  readonly stack: string;
  readonly logicalId: string;
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is that of whatever resource it is
  readonly Properties?: any;
}

/** A resource whose price nobody has looked up; what it costs must be decided on, not forgotten. */
export class UnpricedResourceError extends Error {
  readonly code = 'RESOURCE_UNPRICED';

  constructor(types: readonly string[]) {
    super(
      `infra/cost/resource-charges.ts says nothing of ${types.join(', ')}; add what it costs while idle, or why that is nothing`,
    );
    this.name = 'UnpricedResourceError';
  }
}
