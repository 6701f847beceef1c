import { request } from 'node:http';

export interface AnsweredCall {
  /** Host and port of the Runtime API. */
  readonly runtimeApi: string;
  readonly awsRequestId: string;
  readonly answer: unknown;
}

/**
 * Answers a call and ends the process, so that Lambda starts a new one in its place.
 *
 * The answer goes to the Runtime API from here instead of being returned to the runtime, which would ask for the next
 * call in the same moment: a process that ends after that may take a call with it. The handler returns the promise,
 * which does not resolve.
 *
 * @throws Error when the Runtime API did not take the answer; return it as usual then
 */
export async function answerAndExit(
  call: AnsweredCall,
  exit: (code: number) => void = process.exit,
): Promise<void> {
  const [host, port] = call.runtimeApi.split(':');
  const path = `/2018-06-01/runtime/invocation/${call.awsRequestId}/response`;
  const body = JSON.stringify(call.answer);
  await new Promise<void>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const post = request({ host, port, path, method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 202) resolve();
        else reject(new Error(`the Runtime API answered ${response.statusCode} to an answer`));
      });
    });
    post.once('error', reject);
    post.end(body);
  });
  exit(0);
}
