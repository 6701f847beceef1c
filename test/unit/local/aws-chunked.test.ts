import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsChunkedDecoder } from '../../../local/s3/aws-chunked.ts';

async function decode(encoded: Buffer, pieceBytes: number, expectedBytes?: number) {
  const decoder = new AwsChunkedDecoder(expectedBytes);
  const pieces: Buffer[] = [];
  for (let i = 0; i < encoded.length; i += pieceBytes) pieces.push(encoded.subarray(i, i + pieceBytes));
  const out: Buffer[] = [];
  const source = Readable.from(pieces);
  source.on('error', () => undefined);
  for await (const chunk of source.pipe(decoder)) out.push(chunk as Buffer);
  return { body: Buffer.concat(out), trailers: decoder.trailers };
}

function encode(chunks: readonly Uint8Array[], trailer = 'x-amz-checksum-crc32:AAAA\r\n'): Buffer {
  const parts = chunks
    .filter((chunk) => chunk.length > 0)
    .map((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
  return Buffer.concat([...parts.flat(), Buffer.from(`0\r\n${trailer}\r\n`)]);
}

describe('aws-chunked', () => {
  it('gives the body back however the network cuts it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        async (chunks, piece) => {
          const body = Buffer.concat(chunks);
          const decoded = await decode(encode(chunks), piece, body.length);
          expect(decoded.body.equals(body)).toBe(true);
          expect(decoded.trailers.get('x-amz-checksum-crc32')).toBe('AAAA');
        },
      ),
      { seed: 42 },
    );
  });

  it('takes chunk extensions and no trailer', async () => {
    const decoded = await decode(
      Buffer.from('3;chunk-signature=ab\r\nabc\r\n0;chunk-signature=cd\r\n\r\n'),
      4,
    );
    expect(decoded.body.toString()).toBe('abc');
  });

  it.each([
    ['ends inside a chunk', '5\r\nab'],
    ['ends before the last chunk', '2\r\nab\r\n'],
    ['ends inside the trailer', '0\r\nx-amz'],
    ['has no size', 'zz\r\nab\r\n0\r\n\r\n'],
    ['has a chunk longer than its size', '1\r\nab\r\n0\r\n\r\n'],
    ['goes on after its end', '0\r\n\r\nmore'],
    ['has an endless chunk header', `1;${'x'.repeat(20_000)}`],
  ])('is refused when it %s', async (_, text) => {
    await expect(decode(Buffer.from(text), 3)).rejects.toMatchObject({ code: 'IncompleteBody' });
  });

  it('is refused when it is not as long as it said', async () => {
    await expect(decode(encode([Buffer.from('abc')]), 100, 4)).rejects.toMatchObject({
      code: 'IncompleteBody',
    });
  });
});
