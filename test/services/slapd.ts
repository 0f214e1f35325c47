import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BASE, connectLdap } from '../sources/ldap/connect.ts';
import { createCertificate } from '../support/certificates.ts';
import type { ServedEntry } from '../support/ldap-server.ts';
import { freePort, requireSuccess } from '../support/program.ts';
import { startServer } from '../support/server-process.ts';

/** May read everything. */
export const READER = { bindDN: `cn=reader,${BASE}`, password: 'sesame' };
/** May write. */
export const WRITER = { bindDN: `cn=writer,${BASE}`, password: 'sesame' };
/** Values of `businessCategory` of entries whose id, or whose members, nobody sees. */
export const HIDDEN = { id: 'no id', members: 'no members' };
/** As slapd takes everybody for whom nothing else is said: it may read 500 entries, in pages too. */
export const LIMITED = { bindDN: `cn=limited,${BASE}`, password: 'sesame' };

export interface Slapd {
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  stop(): Promise<void>;
}

const PROGRAM = '/usr/sbin/slapd';

/** Rejects with one line when there is none. */
export async function findSlapd(): Promise<void> {
  await access(PROGRAM).catch(() => {
    throw new Error(`test:services: there is no ${PROGRAM}: install the package slapd`);
  });
}

const MODULES = ['back_mdb', 'memberof', 'syncprov', 'ppolicy'];
const SCHEMAS = ['core', 'cosine', 'nis', 'inetorgperson'];

/** OpenLDAP on a free loopback port with these entries below `BASE`; the caller stops it. */
export async function startSlapd(entries: readonly ServedEntry[]): Promise<Slapd> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-slapd-'));
  const now = Date.now();
  const certificate = createCertificate({ notBefore: new Date(now - 60_000), notAfter: new Date(now + 86_400_000) });
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'cert.pem'), certificate.cert);
  await writeFile(join(folder, 'key.pem'), certificate.key, { mode: 0o600 });
  await writeFile(join(folder, 'slapd.conf'), toConfig(folder));
  await writeFile(join(folder, 'data.ldif'), [...TREE, ...entries].map(toLdif).join('\n'));
  const config = join(folder, 'slapd.conf');
  await requireSuccess('/usr/sbin/slapadd', ['-q', '-f', config, '-l', join(folder, 'data.ldif')]);
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  const args = ['-h', url, '-f', config, '-d', '0'];
  const server = await startServer(PROGRAM, args, {
    log: join(folder, 'log'),
    ready: async () => {
      const source = await connectLdap({ url, ...READER });
      return (await source.identity(AbortSignal.timeout(1_000))).tenantId !== null;
    },
  });
  return {
    url,
    authority: certificate.cert,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function toConfig(folder: string): string {
  return [
    ...SCHEMAS.map((name) => `include /etc/ldap/schema/${name}.schema`),
    'modulepath /usr/lib/ldap',
    ...MODULES.map((name) => `moduleload ${name}`),
    `TLSCertificateFile ${folder}/cert.pem`,
    `TLSCertificateKeyFile ${folder}/key.pem`,
    'access to dn.base="" by * read',
    'access to dn.base="cn=Subschema" by * read',
    'database mdb',
    `suffix "${BASE}"`,
    `rootdn "${WRITER.bindDN}"`,
    `rootpw ${WRITER.password}`,
    `directory ${folder}/data`,
    `limits dn.exact="${READER.bindDN}" size=unlimited time=unlimited`,
    `access to attrs=userPassword by anonymous auth by * none`,
    // They can be looked for, and are not shown.
    `access to filter="(businessCategory=${HIDDEN.id})" attrs=entryUUID by dn.exact="${READER.bindDN}" search by * none`,
    `access to filter="(businessCategory=${HIDDEN.members})" attrs=member by dn.exact="${READER.bindDN}" search by * none`,
    `access to * by dn.exact="${READER.bindDN}" read by dn.exact="${LIMITED.bindDN}" read by * none`,
    'index entryUUID,objectClass eq',
    'overlay memberof',
    'overlay syncprov',
    'overlay ppolicy',
    '',
  ].join('\n');
}

const reader = ({ bindDN, password }: typeof READER): ServedEntry => ({
  dn: bindDN,
  attributes: { objectClass: ['organizationalRole', 'simpleSecurityObject'], userPassword: [password] },
});

const TREE: readonly ServedEntry[] = [
  { dn: BASE, attributes: { objectClass: ['dcObject', 'organization'], dc: ['example'], o: ['Example'] } },
  { dn: `ou=People,${BASE}`, attributes: { objectClass: ['organizationalUnit'] } },
  { dn: `ou=Groups,${BASE}`, attributes: { objectClass: ['organizationalUnit'] } },
  reader(READER),
  reader(LIMITED),
];

function toLdif({ dn, attributes }: ServedEntry): string {
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    values.map((value) => `${name}:: ${Buffer.from(value as string).toString('base64')}`),
  );
  return [`dn:: ${Buffer.from(dn).toString('base64')}`, ...lines, ''].join('\n');
}
