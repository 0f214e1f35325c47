/** What `dirsync check source` shows of a directory. */
import { expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { SourceFinding } from '../../../src/sources/source.ts';
import { createLdapDirectory } from '../../support/ldap-directory.ts';
import { type LdapServer, type ServedEntry, startLdapServer } from '../../support/ldap-server.ts';
import { BASE, type ConnectOptions, connectLdap } from './connect.ts';
import { AD_BASE, AD_TREE, TREE, toAdGroup, toAdUser, toGroupEntry, toPersonEntry } from './entries.ts';

const NOW = new Date('2026-11-22T06:35:20Z');
const AD = { schema: 'ActiveDirectory', baseDN: AD_BASE } as const;

async function open(entries: readonly ServedEntry[]): Promise<LdapServer> {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  createLdapDirectory(server).set(entries);
  return server;
}

async function inspect(server: LdapServer, options: ConnectOptions = {}, groups = true) {
  const source = await connectLdap(server, { now: NOW, ...options });
  const findings: SourceFinding[] = [];
  const use = { projection: ['mail'], groups };
  for await (const finding of source.inspect?.(use, new AbortController().signal) ?? []) findings.push(finding);
  return findings.map(({ verdict, about, message }) => `${verdict} ${about}: ${message}`);
}

const withTime = (currentTime: string): readonly ServedEntry[] =>
  AD_TREE.map((entry) =>
    entry.dn === '' ? { ...entry, attributes: { ...entry.attributes, currentTime: [currentTime] } } : entry,
  );
const people = Array.from({ length: 7 }, (_, index) => toAdUser(`p${index}`));
const PLAIN =
  'warning connection: not encrypted: whoever is on the way reads the password; take ldaps://, or set startTLS';

it('is the account, the clocks, whole counts and whether changes are told', async () => {
  const server = await open([...withTime('20261122063520.0Z'), ...people, toAdGroup('Staff', 1100, ['p1'])]);
  expect(await inspect(server, { ...AD, pageSize: 3 })).toEqual([
    PLAIN,
    'ok credentials: name and password are taken',
    'ok clock: as that of the other side',
    `ok people: 7 below ${AD_BASE}`,
    `ok groups: 1 below ${AD_BASE}`,
    'ok changes: are told: runs after the first read what has changed',
  ]);
  // Of people no more than their ids.
  const ofPeople = server.searches.filter(({ filter }) => filter.startsWith('(&(objectcategory=person)'));
  expect(ofPeople.map(({ attributes }) => attributes)).toEqual([['objectguid'], ['objectguid'], ['objectguid']]);
});

it('of another directory has no clock and no changes', async () => {
  const person = toPersonEntry({ id: 'ada', active: true, attributes: { mail: 'ada@example.com' } });
  const group = toGroupEntry({ id: 'staff', displayName: 'Staff', members: ['ada'] });
  expect(await inspect(await open([...TREE, person, group]))).toEqual([
    PLAIN,
    'ok credentials: name and password are taken',
    'ok clock: the other side does not say its time',
    `ok people: 1 below ${BASE}`,
    `ok groups: 1 below ${BASE}`,
  ]);
  expect(await inspect(await open([...TREE, person, group]), {}, false)).not.toContainEqual(
    expect.stringContaining('groups'),
  );
});

it('warns of a clock that is wrong: accounts expire by ours', async () => {
  for (const [time, seconds] of [
    ['20261122073520.0Z', 3600],
    ['202611220633Z', 140],
    ['20261122073400+0100', 80],
  ] as const) {
    const findings = await inspect(await open(withTime(time)), AD);
    expect(findings).toContain(
      `warning clock: ${seconds} seconds away from that of the other side; set this machine's by a time server`,
    );
  }
});

it('says of each list what is wrong with it, by itself', async () => {
  const server = await open([...AD_TREE, ...people, toAdGroup('Staff', 1100, [])]);
  server.fault = ({ filter, page }) =>
    page > 0 && filter.startsWith('(&(objectcategory=person)') ? { code: 4, entries: 2 } : null;
  const findings = await inspect(server, { ...AD, groupsBaseDN: `OU=Nowhere,${AD_BASE}` });
  expect(findings).toContainEqual(expect.stringMatching(/^error people: .* may read no more entries \(result 4\)/));
  expect(findings).toContainEqual(expect.stringMatching(/^error groups: .* has no entry OU=Nowhere/));
});

it('warns where each run reads everybody, and says why', async () => {
  const server = await open([...AD_TREE, ...people]);
  const { directory } = server;
  if (directory !== null) directory.mayReplicate = false;
  expect((await inspect(server, AD)).at(-1)).toBe(
    'warning changes: each run reads everybody, for the account has not the right "Replicating Directory Changes"; see docs/sources/ldap.md, "By changes"',
  );
  const filter = `(&(objectClass=user)(memberOf=CN=Staff,CN=Users,${AD_BASE}))`;
  expect((await inspect(server, { ...AD, userFilter: filter })).at(-1)).toContain('does not tell changes of memberOf');
});

it('ends with what is wrong with the account', async () => {
  const server = await open(AD_TREE);
  server.bindFault = { code: 49, diagnostic: 'data 775' };
  const error = await inspect(server, AD).catch((thrown: unknown) => SyncError.from(thrown));
  expect(error).toMatchObject({
    code: 'CredentialsRejected',
    message: expect.stringContaining('the account is locked'),
  });
});
