import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';

/**
 * Stands before the API server and keeps watches open for their clients while the server behind is killed. When they are then ended in good
 * order, a client goes on from a version that the server no longer knows: the only way to a 410 that needs no wait of five minutes.
 */
export interface WatchProxy {
  /** A copy of a kubeconfig that leads here. */
  toKubeconfig(path: string): Promise<string>;
  /** Ends the answers of all watches as a server does whose time for them is over. */
  endWatches(): void;
  close(): Promise<void>;
}

interface KubeconfigFile {
  readonly clusters: [{ cluster: Readonly<Record<string, unknown>> }];
}

export async function startWatchProxy(cluster: Cluster): Promise<WatchProxy> {
  const { clusters }: KubeconfigFile = JSON.parse(await readFile(cluster.kubeconfig, 'utf8'));
  const ca = Buffer.from(String(clusters[0].cluster['certificate-authority-data']), 'base64');
  const agent = new Agent({ ca, keepAlive: true });
  const watches = new Set<ServerResponse>();
  const server = createServer((incoming, outgoing) => {
    const isWatch = incoming.url?.includes('watch=true') ?? false;
    if (isWatch) {
      watches.add(outgoing);
      outgoing.once('close', () => watches.delete(outgoing));
    }
    const broken = (): void => {
      if (!isWatch || !outgoing.headersSent) outgoing.destroy();
    };
    const { method, headers } = incoming;
    const sent = request(`${cluster.server}${incoming.url}`, { method, headers, agent }, (answer) => {
      passOn(answer, outgoing, broken);
    });
    sent.on('error', broken);
    outgoing.once('close', () => sent.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    async toKubeconfig(path) {
      const config = JSON.parse(await readFile(path, 'utf8')) as KubeconfigFile;
      // Plain http is taken only by who says that the network may read the token.
      const here = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
      const copy = join(cluster.folder, 'through-proxy.kubeconfig');
      await writeFile(copy, JSON.stringify({ ...config, clusters: [{ ...config.clusters[0], cluster: here }] }));
      return copy;
    },
    endWatches() {
      for (const watch of watches) watch.end();
    },
    close() {
      agent.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function passOn(answer: IncomingMessage, outgoing: ServerResponse, broken: () => void): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  outgoing.flushHeaders();
  answer.pipe(outgoing, { end: false });
  answer.once('end', () => outgoing.end());
  answer.on('error', broken);
}
