/** A web server in this process that has files, and can be made to fail in the ways of web servers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Path → bytes; what is not there is answered with 404. */
  readonly files: Map<string, Buffer>;
  readonly requests: IncomingMessage[];
  /** Connections that the other side gave up before they were answered. */
  readonly givenUp: () => number;
  /** Answers in place of the file; false: the file after all. */
  answer: (outgoing: ServerResponse, incoming: IncomingMessage) => boolean;
  close(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const requests: IncomingMessage[] = [];
  const files = new Map<string, Buffer>();
  let givenUp = 0;
  const server = createServer((incoming, outgoing) => {
    requests.push(incoming);
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) givenUp += 1;
    });
    if (running.answer(outgoing, incoming)) return;
    const bytes = files.get(new URL(incoming.url ?? '', 'http://127.0.0.1').pathname);
    if (bytes === undefined) outgoing.writeHead(404).end('no');
    else outgoing.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    givenUp: () => givenUp,
    answer: () => false,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return running;
}
