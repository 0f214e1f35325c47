/** Samba as a domain controller of an Active Directory of its own: CORP.EXAMPLE. */
import { randomInt } from 'node:crypto';
import { access, glob, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Attribute, Client } from 'ldapts';
import { openSession } from '../../src/sources/ldap/session.ts';
import { toSid } from '../../src/sources/ldap/values.ts';
import { createCertificate } from '../support/certificates.ts';
import { requireSuccess } from '../support/program.ts';
import { startServer } from '../support/server-process.ts';

/** Where nothing else is said entries lie below it. */
export const AD_BASE = 'DC=corp,DC=example';
/** An ordinary account: it may read, and not ask for changes. */
export const READER = { bindDN: 'reader@corp.example', password: 'Sesame-1-open' };
/** It has the right "Replicating Directory Changes" besides. */
const SYNCER = { bindDN: 'syncer@corp.example', password: 'Sesame-2-open' };
const ADMINISTRATOR = { bindDN: 'administrator@corp.example', password: 'Sesame-0-open' };

/** DS-Replication-Get-Changes (MS-ADTS 5.1.3.2.1). */
const GET_CHANGES = '1131f6aa-9c07-11d1-f79f-00c04fc2dcd2';

export interface Samba {
  /** `ldaps://127.…` */
  readonly url: string;
  /** `ldap://127.…`, which takes passwords after StartTLS alone. */
  readonly plainUrl: string;
  /** PEM. */
  readonly authority: string;
  /** Bound as the administrator, to make and change entries. */
  readonly client: Client;
  stop(): Promise<void>;
}

const PROGRAM = '/usr/sbin/samba';
const TOOL = '/usr/bin/samba-tool';
const SETUP = '/usr/share/samba/setup/provision.ldif';
const MODULES = '/usr/lib/*/samba/ldb/dirsync.so';
const PACKAGES = 'samba samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind python3-samba';

/** Rejects with one line when something is missing. */
export async function findSamba(): Promise<void> {
  const lacks = (path: string): Error =>
    new Error(`test:services: there is no ${path}: install the packages ${PACKAGES}`);
  for (const path of [PROGRAM, TOOL, SETUP]) {
    await access(path).catch(() => {
      throw lacks(path);
    });
  }
  if ((await glob(MODULES).next()).done === true) throw lacks(MODULES);
  if (userInfo().uid !== 0)
    throw new Error('test:services: a domain controller of Samba has the ports 389 and 636, which need root');
}

/** Its ports are fixed, so that it has an address of its own; the caller stops it. */
export async function startSamba(): Promise<Samba> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-samba-'));
  const address = ['127', randomInt(1, 255), randomInt(0, 256), randomInt(1, 255)].join('.');
  const now = Date.now();
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 86_400_000) };
  const certificate = createCertificate(validity, 'rsa', address);
  await provision(folder);
  await mkdir(join(folder, 'tls'));
  await writeFile(join(folder, 'tls', 'cert.pem'), certificate.cert);
  await writeFile(join(folder, 'tls', 'key.pem'), certificate.key, { mode: 0o600 });
  const config = join(folder, 'smb.conf');
  await writeFile(config, toConfig(folder, address));
  const url = `ldaps://${address}`;
  const endpoint = {
    ...{ url, startTLS: false, credentials: ADMINISTRATOR, where: 'the test' },
    ...{ ca: certificate.cert, timeoutMs: 60_000 },
  };
  const server = await startServer(PROGRAM, ['-i', '-M', 'single', '-s', config], {
    log: join(folder, 'log'),
    timeoutMs: 180_000,
    ready: async () => {
      (await openSession(endpoint, AbortSignal.timeout(10_000))).close();
      return true;
    },
  });
  const client = new Client({ url, tlsOptions: { ca: certificate.cert, host: address }, timeout: 60_000 });
  const stop = async (): Promise<void> => {
    await client.unbind().catch(() => undefined);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await client.bind(ADMINISTRATOR.bindDN, ADMINISTRATOR.password);
    await addAccount(client, READER);
    const sid = await addAccount(client, SYNCER);
    const sam = join(folder, 'private', 'sam.ldb');
    const right = `--sddl=(OA;;CR;${GET_CHANGES};;${sid})`;
    const args = ['dsacl', 'set', '-H', sam, '-s', config, `--objectdn=${AD_BASE}`, right];
    await requireSuccess(TOOL, args, { timeoutMs: 180_000 });
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { url, plainUrl: `ldap://${address}`, authority: certificate.cert, client, stop };
}

async function provision(folder: string): Promise<void> {
  const options = {
    ...{ targetdir: folder, realm: 'CORP.EXAMPLE', domain: 'CORP', 'server-role': 'dc', 'dns-backend': 'NONE' },
    ...{ 'host-name': 'dc1', 'host-ip': '127.0.0.1', adminpass: ADMINISTRATOR.password },
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  await requireSuccess(TOOL, ['domain', 'provision', ...args], { timeoutMs: 300_000 });
}

function toConfig(folder: string, address: string): string {
  const lines = {
    realm: 'CORP.EXAMPLE',
    workgroup: 'CORP',
    'netbios name': 'DC1',
    'server role': 'active directory domain controller',
    'server services': 'ldap',
    interfaces: `${address}/8`,
    'bind interfaces only': 'yes',
    logging: 'stdout',
    'tls certfile': join(folder, 'tls', 'cert.pem'),
    'tls keyfile': join(folder, 'tls', 'key.pem'),
    'tls cafile': '',
    'private dir': join(folder, 'private'),
    'lock directory': folder,
    'state directory': join(folder, 'state'),
    'cache directory': join(folder, 'cache'),
    'pid directory': folder,
    'ncalrpc dir': join(folder, 'ncalrpc'),
    'winbindd socket directory': join(folder, 'winbindd'),
  };
  return ['[global]', ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`), ''].join('\n');
}

/** @returns its SID */
async function addAccount(client: Client, { bindDN, password }: typeof READER): Promise<string> {
  const [name = ''] = bindDN.split('@');
  const dn = `CN=${name},CN=Users,${AD_BASE}`;
  await client.add(dn, [
    new Attribute({ type: 'objectClass', values: ['top', 'person', 'organizationalPerson', 'user'] }),
    new Attribute({ type: 'sAMAccountName', values: [name] }),
    new Attribute({ type: 'userPrincipalName', values: [bindDN] }),
    new Attribute({ type: 'userAccountControl', values: ['512'] }),
    new Attribute({ type: 'unicodePwd', values: [Buffer.from(`"${password}"`, 'utf16le')] }),
  ]);
  const { searchEntries } = await client.search(dn, { scope: 'base', explicitBufferAttributes: ['objectSid'] });
  const sid = searchEntries[0]?.['objectSid'];
  return (Buffer.isBuffer(sid) ? toSid(sid) : null) ?? '';
}
