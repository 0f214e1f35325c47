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
/** It has the right "Replicating Directory Changes" besides, and sees what is deleted. */
export const SYNCER = { bindDN: 'syncer@corp.example', password: 'Sesame-2-open' };
const ADMINISTRATOR = { bindDN: 'administrator@corp.example', password: 'Sesame-0-open' };

/** DS-Replication-Get-Changes (MS-ADTS 5.1.3.2.1). */
const GET_CHANGES = '1131f6aa-9c07-11d1-f79f-00c04fc2dcd2';
/** schemaIDGUID of userAccountControl (MS-ADA3 2.342). */
const USER_ACCOUNT_CONTROL = 'bf967a68-0de6-11d0-a285-00aa003049e2';

export interface Samba {
  /** `ldaps://127.…` */
  readonly url: string;
  /** `ldap://127.…`, which takes passwords after StartTLS alone. */
  readonly plainUrl: string;
  /** PEM. */
  readonly authority: string;
  /** Bound as the administrator, to make and change entries. */
  readonly client: Client;
  /** Takes from `SYNCER` the right to read `userAccountControl` of an entry. */
  hideState(dn: string): Promise<void>;
  stop(): Promise<void>;
}

/** Adds an entry to the list of rights of an object; the tool of Samba does so for those alone that are not deleted. */
const ADD_RIGHT = `
import sys, ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB
config, sam, dn, entry = sys.argv[1:]
db = SamDB(url=sam, session_info=system_session(), lp=LoadParm(config))
options = {'controls': ['show_deleted:1', 'sd_flags:1:4']}
name = 'nTSecurityDescriptor'
found = db.search(base=dn, scope=ldb.SCOPE_BASE, attrs=[name], **options)[0]
domain = security.dom_sid(db.get_domain_sid())
rights = ndr_unpack(security.descriptor, found[name][0]).as_sddl(domain)
# What is denied must come before what is allowed.
rights = rights.replace('(', entry + '(', 1)
change = ldb.Message(found.dn)
value = ndr_pack(security.descriptor.from_sddl(rights, domain))
change[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
db.modify(change, **options)
`;

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
  const change = async (dn: string, entry: string): Promise<void> => {
    const sam = join(folder, 'private', 'sam.ldb');
    // That of Debian, which has the modules of Samba.
    await requireSuccess('/usr/bin/python3', ['-c', ADD_RIGHT, config, sam, dn, entry], { timeoutMs: 180_000 });
  };
  let sid = '';
  try {
    await client.bind(ADMINISTRATOR.bindDN, ADMINISTRATOR.password);
    await addAccount(client, READER);
    sid = await addAccount(client, SYNCER);
    await change(AD_BASE, `(OA;;CR;${GET_CHANGES};;${sid})`);
    await change(`CN=Deleted Objects,${AD_BASE}`, `(A;;RPLC;;;${sid})`);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    ...{ url, plainUrl: `ldap://${address}`, authority: certificate.cert, client, stop },
    hideState: (dn) => change(dn, `(OD;;RP;${USER_ACCOUNT_CONTROL};;${sid})`),
  };
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
