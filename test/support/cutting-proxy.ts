/** Stands between a client and a server that cannot be made to fail, and breaks their connections off. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface CuttingProxy {
  /** On the host of the server. */
  readonly port: number;
  /** Each connection ends when the server has sent so many bytes over it. */
  cutAfter(bytes: number): void;
  close(): void;
}

/** Passes everything on until it is told otherwise; the caller closes it. */
export async function startCuttingProxy(server: {
  readonly host: string;
  readonly port: number;
}): Promise<CuttingProxy> {
  let mostBytes = Number.POSITIVE_INFINITY;
  const listener = createServer((client) => {
    const upstream = connect(server.port, server.host);
    let bytes = 0;
    upstream.on('data', (data) => {
      bytes += data.length;
      if (bytes <= mostBytes) client.write(data);
      else client.destroy();
    });
    client.pipe(upstream);
    client.on('error', () => undefined).on('close', () => upstream.destroy());
    upstream.on('error', () => undefined).on('close', () => client.destroy());
  });
  listener.listen(0, server.host);
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    cutAfter: (bytes) => {
      mostBytes = bytes;
    },
    close: () => {
      listener.close();
    },
  };
}
