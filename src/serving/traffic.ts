import { createHash, randomInt } from 'node:crypto';
import type { ServingPointer, ServingVariant } from './serving-pointer.ts';

/** Calls are spread over so many slots; a weight is good to one in so many. */
const nSlots = 10_000;

/**
 * Chooses between champion and canary. With a key the choice is the same for every call of that key, in every process,
 * and a larger weight keeps those who had the canary already.
 * @param routingKey what the caller wants to stick by, such as a user's id
 * @param draw a whole number >= 0 and < 10,000, for calls without a key
 */
export function variantFor(
  pointer: ServingPointer,
  routingKey: string | undefined,
  draw: () => number = () => randomInt(nSlots),
): ServingVariant {
  const { canary } = pointer;
  if (canary === undefined) return pointer;
  const slot = routingKey === undefined ? draw() : slotOf(pointer.model_name, routingKey);
  return slot < canary.weight * nSlots ? canary : pointer;
}

/** The model is part of it, so that the same callers are not the canaries of every model. */
function slotOf(model: string, routingKey: string): number {
  const hash = createHash('sha256').update(`${model}\n${routingKey}`).digest();
  return hash.readUInt32BE(0) % nSlots;
}

/** @returns the variant of the pointer that has this version, if any */
export function variantOfVersion(pointer: ServingPointer, version: string): ServingVariant | undefined {
  if (pointer.version === version) return pointer;
  return pointer.canary?.version === version ? pointer.canary : undefined;
}

/** Those that a call may name. */
export const versionsOf = ({ version, canary }: ServingPointer): string[] =>
  canary === undefined ? [version] : [version, canary.version];
