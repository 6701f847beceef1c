import { request } from 'node:http';

/**
 * Has the process told when its environment ends. Lambda sends SIGTERM only to environments that have an extension, so
 * one without events is registered, and waits for an event that never comes. It has 500 ms then.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 * @param runtimeApi host and port of the Runtime API; without it the process is no function
 */
export function onShutdown(runtimeApi: string | undefined, work: () => Promise<void>): void {
  if (runtimeApi === undefined) return;
  const send = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string,
    then?: (id: string) => void,
  ) => {
    const outgoing = request(
      `http://${runtimeApi}/2020-01-01/extension/${path}`,
      // A connection that waits must not keep a process alive that has nothing else to do.
      { method, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } },
      (incoming) => {
        incoming.resume();
        const id = incoming.headers['lambda-extension-identifier'];
        if (then !== undefined && typeof id === 'string') then(id);
      },
    );
    // Without the extension the process ends without a word; what is buffered is then counted as lost.
    outgoing.on('error', () => {});
    outgoing.end(body);
  };
  send('POST', 'register', { 'lambda-extension-name': 'tenantml-shutdown' }, '{"events":[]}', (id) =>
    send('GET', 'event/next', { 'lambda-extension-identifier': id }, ''),
  );
  process.once('SIGTERM', () => {
    void work().finally(() => process.exit(0));
  });
}
