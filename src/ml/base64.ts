/** Bytes as base64 (RFC 4648) and back. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const digitCodes = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const PADDING = '='.charCodeAt(0);
const ascii = new TextDecoder();

/** Digit by digit: `btoa` takes ten times as long, most of it for the string that it wants to begin with. */
export function toBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  const nPadded = (3 - (bytes.length % 3)) % 3;
  for (let i = 0, at = 0; i < bytes.length; i += 3, at += 4) {
    // Behind the end there is nothing, which counts as zero bits.
    const three = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text[at] = digitCodes[three >> 18]!;
    text[at + 1] = digitCodes[(three >> 12) & 63]!;
    text[at + 2] = digitCodes[(three >> 6) & 63]!;
    text[at + 3] = digitCodes[three & 63]!;
  }
  text.fill(PADDING, text.length - nPadded);
  return ascii.decode(text);
}

/** @returns bytes in a buffer of their own */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
