import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { apiKeyPrefix } from './authenticate.ts';

/**
 * `tml_`, 36 random letters and digits, and 6 that check them, so that whoever searches texts for secrets finds the key
 * and nothing else, and a mistyped one is refused without asking a table.
 */
const pattern = /^tml_([0-9A-Za-z]{36})([0-9A-Za-z]{6})$/;
const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The largest multiple of 62 in a byte: what is above would make some letters likelier than others. */
const evenBelow = 248;

/** @param random gives so many random bytes */
export function newApiKey(random: (bytes: number) => Uint8Array = randomBytes): string {
  let secret = '';
  while (secret.length < 36) {
    for (const byte of random(48)) if (byte < evenBelow && secret.length < 36) secret += letters[byte % 62];
  }
  return `${apiKeyPrefix}${secret}${checksum(secret)}`;
}

/** Whether a key has the form of ours and its check does not hold: nobody ever made it. */
export function isMistyped(apiKey: string): boolean {
  const [, secret, check] = pattern.exec(apiKey) ?? [];
  return secret !== undefined && checksum(secret) !== check;
}

/** What is stored of a key. */
export const apiKeyHash = (apiKey: string): string => createHash('sha256').update(apiKey).digest('hex');

/** How a key begins: enough to know it again, too little to guess the rest. */
export const shownPrefix = (apiKey: string): string => apiKey.slice(0, 10);

/** The CRC-32 in base 62: 62^6 is more than 2^32. */
function checksum(secret: string): string {
  let text = '';
  for (let rest = crc32(secret), i = 0; i < 6; i++, rest = Math.floor(rest / 62))
    text = letters[rest % 62] + text;
  return text;
}
