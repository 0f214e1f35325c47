import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Connections taken so far. */
  readonly connections: readonly Socket[];
  close(): Promise<void>;
}

/**
 * A server below HTTP, for answers that no HTTP library would give. `answer` gets the socket, the number of the
 * request on this server, from 1, and what came of it, once its head has come in whole.
 */
export async function startRawServer(
  answer: (socket: Socket, count: number, head: string) => void,
): Promise<RawServer> {
  const connections: Socket[] = [];
  let count = 0;
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!received.includes('\r\n\r\n')) return;
      const head = received;
      received = '';
      count += 1;
      answer(socket, count, head);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async close() {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
