/** An SFTP server in this process, by the server half of ssh2, whose files are those of a folder and which can be made to fail. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2, { type Connection, type SFTPWrapper } from 'ssh2';

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

export interface SftpServerOptions {
  readonly folder: string;
  readonly username: string;
  readonly password: string;
  /** The password is asked for in a dialogue alone. */
  readonly asks?: boolean;
}

export interface RunningSftpServer {
  readonly port: number;
  /** `type base64` */
  readonly hostKey: string;
  /** Logins that were taken. */
  readonly logins: () => number;
  /** Called before each read of a piece; what it returns is done in place of the answer. */
  onRead: (offset: number, connection: Connection) => 'answer' | 'nothing' | 'denied';
  close(): Promise<void>;
}

export function createHostKey(): { readonly privateKey: string; readonly hostKey: string } {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  return { privateKey, hostKey: `${key.type} ${key.getPublicSSH().toString('base64')}` };
}

export async function startSftpServer(options: SftpServerOptions): Promise<RunningSftpServer> {
  const { privateKey, hostKey } = createHostKey();
  const connections = new Set<Connection>();
  let logins = 0;
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => connections.delete(connection));
    connection.on('authentication', (context) => {
      const take = (isRight: boolean): void => {
        if (!isRight) {
          context.reject(['password', 'keyboard-interactive']);
          return;
        }
        logins += 1;
        context.accept();
      };
      if (context.method === 'password' && options.asks !== true) {
        take(context.username === options.username && context.password === options.password);
      } else if (context.method === 'keyboard-interactive' && options.asks === true) {
        context.prompt([{ prompt: 'Password:', echo: false }], ([answer]) => take(answer === options.password));
      } else {
        take(false);
      }
    });
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) =>
        serve(acceptSftp(), options.folder, (offset) => running.onRead(offset, connection)),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: RunningSftpServer = {
    port: (server.address() as AddressInfo).port,
    hostKey,
    logins: () => logins,
    onRead: () => 'answer',
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const connection of connections) connection.end();
      await closed;
    },
  };
  return running;
}

function serve(
  sftp: SFTPWrapper,
  folder: string,
  onRead: (offset: number) => ReturnType<RunningSftpServer['onRead']>,
): void {
  const handles = new Map<string, { bytes: Buffer | null; names: string[] }>();
  let count = 0;
  const open = (bytes: Buffer | null, names: string[]): Buffer => {
    count += 1;
    handles.set(String(count), { bytes, names });
    return Buffer.from(String(count));
  };
  /** What the file system refuses is answered as real servers do. */
  const attempt = (id: number, action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
      sftp.status(id, isMissing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE, 'text of the server');
    }
  };
  const toAttributes = (path: string) => {
    const { mode, size, uid, gid, atimeMs, mtimeMs } = statSync(join(folder, path));
    return { mode, size, uid, gid, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
  };
  sftp.on('STAT', (id, path) => attempt(id, () => sftp.attrs(id, toAttributes(path))));
  sftp.on('OPEN', (id, path, flags) =>
    attempt(id, () => {
      if (flags !== OPEN_MODE.READ) sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
      else sftp.handle(id, open(readFileSync(join(folder, path)), []));
    }),
  );
  sftp.on('OPENDIR', (id, path) =>
    attempt(id, () =>
      sftp.handle(
        id,
        open(
          null,
          readdirSync(join(folder, path)).map((name) => join(path, name)),
        ),
      ),
    ),
  );
  sftp.on('READDIR', (id, handle) => {
    const names = handles.get(handle.toString())?.names.splice(0, 2) ?? [];
    if (names.length === 0) sftp.status(id, STATUS_CODE.EOF);
    else {
      sftp.name(
        id,
        names.map((path) => ({ filename: path.split('/').at(-1) ?? '', longname: path, attrs: toAttributes(path) })),
      );
    }
  });
  sftp.on('READ', (id, handle, offset, length) => {
    const what = onRead(offset);
    if (what === 'nothing') return;
    if (what === 'denied') return void sftp.status(id, STATUS_CODE.PERMISSION_DENIED, 'text of the server');
    const bytes = handles.get(handle.toString())?.bytes ?? Buffer.alloc(0);
    // Fewer than were asked for, as servers may.
    const piece = bytes.subarray(offset, offset + Math.min(length, 20_000));
    if (piece.length === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, piece);
  });
  sftp.on('CLOSE', (id, handle) => {
    handles.delete(handle.toString());
    sftp.status(id, STATUS_CODE.OK);
  });
}
