import type { HttpClient } from '../../src/client/http-client.ts';
import type { ImportUpload } from '../../src/contracts/imports.ts';
import type { Job } from '../../src/contracts/training.ts';
import { jobEnd } from './running-twin.ts';

/** Brings a file as a client does, to the end of its job. */
export async function importModel(
  client: HttpClient,
  name: string,
  bytes: Uint8Array,
  request: Record<string, unknown>,
): Promise<Job> {
  const model_name = name as never;
  const upload = (await client.call('createImport', {
    params: { model_name },
    body: { size_bytes: bytes.byteLength, ...request } as never,
  })) as ImportUpload;
  const sent = await fetch(upload.url, { method: 'PUT', body: bytes as never });
  if (!sent.ok) throw new Error(`the upload was refused: ${sent.status} ${await sent.text()}`);
  const { job_id } = await client.call('completeImport', {
    params: { model_name, upload_id: upload.upload_id },
  });
  return jobEnd(client, job_id as Job['job_id']);
}
