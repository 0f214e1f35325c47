/** An HTTP server in this process whose answers can be broken one by one, as directories and what stands before them do. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes as they are. */
  readonly body: unknown;
}

/**
 * What comes in place of an answer: `reset` breaks the connection in the middle of the body, `half` is a whole answer of
 * HTTP with half of the text, `html` a page of a proxy with status 200, `hang` silence.
 */
export type Fault = 'reset' | 'half' | 'html' | 'hang' | Reply;

export interface ScriptedServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Asked before each answer; null: the answer as it is. */
  fault: (request: SeenRequest) => Fault | null;
  /** What it says its time is; undefined: as it is, null: nothing. */
  date: string | null | undefined;
  /** Requests that the other side gave up before they were answered. */
  readonly givenUp: () => number;
  close(): Promise<void>;
}

export async function startScriptedServer(answer: (request: SeenRequest) => Reply): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  let givenUp = 0;
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '', 'http://127.0.0.1');
    const { method = '', headers } = incoming;
    const { authorization = '' } = headers;
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) givenUp += 1;
    });
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const request = { method, path: url.pathname, query: url.searchParams, authorization, headers, body };
      requests.push(request);
      const fault = scripted.fault(request);
      const { date } = scripted;
      if (date !== undefined) outgoing.sendDate = false;
      if (typeof date === 'string') outgoing.setHeader('date', date);
      if (typeof fault === 'string') breakAnswer(fault, outgoing, answer(request));
      else send(outgoing, fault ?? answer(request));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const scripted: ScriptedServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault: () => null,
    date: undefined,
    givenUp: () => givenUp,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return scripted;
}

function send(outgoing: ServerResponse, { status, headers = {}, body }: Reply): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
  outgoing.end(body instanceof Uint8Array ? body : JSON.stringify(body));
}

function breakAnswer(fault: Exclude<Fault, Reply>, outgoing: ServerResponse, { body }: Reply): void {
  const text = Buffer.from(JSON.stringify(body));
  const half = text.subarray(0, Math.floor(text.length / 2));
  switch (fault) {
    case 'hang':
      return;
    case 'html':
      outgoing.writeHead(200, { 'content-type': 'text/html' });
      outgoing.end('<html><body>Sign in to the network</body></html>');
      return;
    case 'half':
      outgoing.writeHead(200, { 'content-type': 'application/json' });
      outgoing.end(half);
      return;
    case 'reset':
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
      outgoing.write(half, () => outgoing.destroy());
  }
}
