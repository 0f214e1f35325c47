/** What ends a read, and that nothing else is taken for its end. Among it what ldapts' own client does otherwise. */
import nock from 'nock';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { Source, SourcePage } from '../../../src/sources/source.ts';
import { createSamplePeople } from '../../conformance/source.ts';
import { type Certificate, createCertificate } from '../../support/certificates.ts';
import { type LdapFault, type LdapServerOptions, startLdapServer } from '../../support/ldap-server.ts';
import { BASE, type ConnectOptions, connectLdap } from './connect.ts';
import { AD_BASE, AD_TREE, TREE, toAdUser, toPersonEntry } from './entries.ts';

// nock watches over every socket, and lets errors of certificates through too late.
beforeAll(() => nock.restore());

async function open(count = 250, options: ConnectOptions = {}, serverOptions: LdapServerOptions = {}) {
  const server = await startLdapServer(serverOptions);
  onTestFinished(() => server.close());
  server.entries = [...TREE, ...createSamplePeople(count).map(toPersonEntry)];
  return { server, source: await connectLdap(server, { pageSize: 100, ...options }) };
}

async function read(source: Source, signal = new AbortController().signal): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers(['uid'], signal)) pages.push(page);
  return pages;
}

async function toError(work: Promise<unknown>): Promise<SyncError> {
  const thrown = await work.then(
    () => new Error('it answered'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SyncError);
  return SyncError.from(thrown);
}

const countOf = (pages: readonly SourcePage[]): number => pages.flatMap(({ users }) => users).length;

describe('pages', () => {
  it('follow each other to the last one, those without entries too, with one cookie or several', async () => {
    const { server, source } = await open(0);
    const [first, second, third] = [1, 2, 3].map((part) =>
      createSamplePeople(300)
        .slice((part - 1) * 100, part * 100)
        .map(toPersonEntry),
    );
    server.layout = { baseDN: BASE, pages: [[], first ?? [], [], [], second ?? [], third ?? [], []] };
    for (const sameCookie of [false, true]) {
      server.sameCookie = sameCookie;
      expect(countOf(await read(source))).toBe(300);
    }
  });

  it.each([0, 1, 99, 100, 101, 999, 1000, 2500])('deliver %i people, each once', async (count) => {
    const { source } = await open(count);
    const pages = await read(source);
    const ids = pages.flatMap(({ users }) => users.map(({ id }) => id));
    expect(ids).toEqual(createSamplePeople(count).map(({ id }) => id));
  });

  it('that come twice, or have nothing on them without end, are a failed read', async () => {
    const { server, source } = await open(0);
    const page = createSamplePeople(100).map(toPersonEntry);
    server.layout = { baseDN: BASE, pages: [page, page, []] };
    expect((await toError(read(source))).message).toContain('the same page twice');
    server.layout = { baseDN: BASE, pages: Array.from({ length: 1003 }, () => []) };
    expect((await toError(read(source))).message).toContain('more than 1000 empty pages');
  });

  it('are made smaller where the server makes them no larger', async () => {
    const { server, source } = await open(250, { pageSize: 500 });
    server.mostOfPage = 100;
    expect(countOf(await read(source))).toBe(250);
    server.mostOfPage = 50;
    expect((await toError(read(source))).code).toBe('ReadIncomplete');
  });

  it('that do not say whether more follow are not the last one', async () => {
    const { server, source } = await open();
    server.fault = ({ page }) => (page === 3 ? 'noControl' : null);
    expect((await toError(read(source))).message).toContain('does not say whether there is more');
  });

  it('show who is edited between two of them once', async () => {
    const { server, source } = await open();
    const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    server.entries = [...TREE, ...createSamplePeople(250).map((person) => toPersonEntry({ ...person, active: false }))];
    let count = 100;
    for (let next = await pages.next(); next.done !== true; next = await pages.next()) count += next.value.users.length;
    expect(count).toBe(250);
  });
});

const INCOMPLETE: Readonly<Record<string, LdapFault>> = {
  'the size limit after real entries, as slapd says it': { code: 4, entries: 40 },
  'a time limit': { code: 3, entries: 10 },
  'an administrative limit': { code: 11 },
  'a referral': { code: 10 },
  'a reference to another server': { references: [`ldap://other.example/OU=Sales,${BASE}`] },
};

const FAILED: Readonly<Record<string, LdapFault>> = {
  busy: { code: 51 },
  unavailable: { code: 52 },
  'an error of its own': { code: 80, entries: 3, diagnostic: 'uid=person-7,ou=People failed' },
  'an entry that is gone': { code: 32 },
  'a broken connection': 'reset',
  'a page of a web server': 'garbage',
  'a message that ldapts does not know': 'intermediate',
};

describe.each([1, 2, 3])('on page %i', (number) => {
  it.each([
    ...Object.entries(INCOMPLETE).map(([what, fault]) => [what, 'ReadIncomplete', fault] as const),
    ...Object.entries(FAILED).map(([what, fault]) => [what, 'ReadFailed', fault] as const),
  ])('%s is %s', async (_what, code, fault) => {
    const { server, source } = await open();
    server.fault = ({ page }) => (page === number ? fault : null);
    const error = await toError(read(source));
    expect(error).toMatchObject({ code, scope: 'run', retry: 'backoff' });
    expect(error.message).not.toMatch(/sesame|uid=|person-/);
    await expect.poll(() => server.open()).toBe(0);
    server.fault = () => null;
    expect(countOf(await read(source))).toBe(250);
  });
});

it('does not follow the three references that every Active Directory gives, and follows no other', async () => {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  server.entries = [...AD_TREE, toAdUser('ada')];
  const source = await connectLdap(server, { schema: 'ActiveDirectory', baseDN: AD_BASE });
  const known = ['CN=Configuration', 'DC=ForestDnsZones', 'DC=DomainDnsZones'];
  server.fault = () => ({ references: known.map((name) => `ldap://corp.example/${name},${AD_BASE}`) });
  expect(countOf(await read(source))).toBe(1);
  server.fault = () => ({ references: [`ldap://child.corp.example/DC=child,${AD_BASE}??sub`] });
  const error = await toError(read(source));
  expect(error.code).toBe('ReadIncomplete');
  expect(error.message).toContain(`refers to another server for DC=child,${AD_BASE}`);
  // One for each list, and one for where its changes go on.
  expect(server.connections()).toBe(4);
});

describe('the connection', () => {
  it('waits for its turn with each request, and gives it back whatever comes of it (I11)', async () => {
    const server = await startLdapServer();
    onTestFinished(() => server.close());
    server.entries = TREE;
    const turns: string[] = [];
    let open = 0;
    const begin = async (url: string): Promise<() => void> => {
      turns.push(url);
      open += 1;
      return () => {
        open -= 1;
      };
    };
    const source = await connectLdap(server, { network: { begin } });
    await read(source);
    // One more to say who asks.
    expect(turns).toEqual(Array.from({ length: server.searches.length + 1 }, () => server.url));
    for (const fault of ['reset', { code: 4 }] as const) {
      server.fault = () => fault;
      await toError(read(source));
    }
    expect(open).toBe(0);
  });

  it('asks for no limits of its own, as ldapts would: ten seconds', async () => {
    const { server, source } = await open();
    await read(source);
    expect(server.searches.filter(({ page }) => page > 0)).toHaveLength(3);
    for (const { timeLimit, sizeLimit } of server.searches) expect([timeLimit, sizeLimit]).toEqual([0, 0]);
  });

  it('is given up when the server is silent, in the middle of a list and before it', async () => {
    const { server, source } = await open(250, { network: { timeoutMs: 200 } });
    server.fault = ({ page }) => (page === 2 ? 'hang' : null);
    expect((await toError(read(source))).message).toContain('does not answer in time');
    server.bindFault = 'hang';
    expect((await toError(read(source))).message).toContain('does not answer in time');
    await expect.poll(() => server.open()).toBe(0);
  });

  it('ends within a second after an abort, which reaches the socket', async () => {
    const { server, source } = await open();
    const controller = new AbortController();
    server.fault = ({ page }) => {
      if (page !== 2) return null;
      setImmediate(() => controller.abort());
      return 'hang';
    };
    const begun = Date.now();
    expect((await toError(read(source, controller.signal))).code).toBe('Aborted');
    expect(Date.now() - begun).toBeLessThan(1_000);
    await expect.poll(() => server.open()).toBe(0);
  });

  it('is never made anew without a name: what is lost ends the read', async () => {
    const { server, source } = await open();
    const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    server.fault = ({ page }) => (page === 2 ? 'reset' : null);
    expect((await toError(pages.next())).code).toBe('ReadFailed');
    expect((await pages.next()).done).toBe(true);
    expect(server.connections()).toBe(1);
    expect(server.searches.map(({ boundAs }) => boundAs)).toEqual(Array(2).fill(server.bindDN));
  });

  it('is closed by a read that is left', async () => {
    const { server, source } = await open();
    const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    expect(server.open()).toBe(1);
    await pages.return?.();
    await expect.poll(() => server.open()).toBe(0);
  });
});

describe('credentials', () => {
  it.each([
    [
      {
        code: 49,
        diagnostic: '80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data 52e, v3839',
      },
      'the password is wrong',
    ],
    [{ code: 49, diagnostic: '80090308: LdapErr: DSID-0C09042A, data 775, v3839' }, 'the account is locked'],
    [{ code: 49 }, 'rejects the credentials (result 49); check Secret default/acme-ldap'],
    [{ code: 53 }, 'rejects the credentials (result 53)'],
    [{ code: 8 }, 'takes no password on a connection without encryption; take ldaps://, or set startTLS'],
  ])('that are refused with %j are not tried again', async (bindFault, message) => {
    const { server, source } = await open();
    server.bindFault = bindFault;
    const error = await toError(read(source));
    expect(error).toMatchObject({ code: 'CredentialsRejected', retry: 'never' });
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('sesame');
    expect(server.searches).toEqual([]);
  });

  it('are no matter of a server that is busy', async () => {
    const { server, source } = await open();
    server.bindFault = { code: 51 };
    expect((await toError(read(source))).code).toBe('ReadFailed');
  });

  it.each([
    [{}, 'it has no keys'],
    [{ bindDN: 'cn=reader' }, 'it has bindDN'],
    [{ bindDN: 'cn=reader', password: '\n' }, 'neither of them empty; it has bindDN, password'],
  ])('%j are missing', async (secrets, message) => {
    const error = await toError(connectLdap({ url: 'ldap://127.0.0.1', ...secrets }));
    expect(error.code).toBe('ReferenceNotFound');
    expect(error.message).toContain('Secret default/acme-ldap must have the keys "bindDN" and "password"');
    expect(error.message).toContain(message);
  });

  it('are asked for by a server that answers nobody', async () => {
    const { server, source } = await open();
    server.fault = () => ({
      code: 1,
      diagnostic: '000004DC: In order to perform this operation a successful bind must be completed',
    });
    expect((await toError(read(source))).code).toBe('CredentialsRejected');
  });
});

function aCertificate(): Certificate {
  const [notBefore, notAfter] = [new Date(Date.now() - 1_000), new Date(Date.now() + 3_600_000)];
  return createCertificate({ notBefore, notAfter });
}

describe.each([
  ['LDAPS', true],
  ['StartTLS', false],
])('encryption by %s', (_what, encrypted) => {
  it('takes the authority of caRef, and no other', async () => {
    const tls = aCertificate();
    const { server } = await open(3, {}, { tls, encrypted });
    const trusting = await connectLdap(server, { startTLS: !encrypted, network: { ca: tls.cert } });
    expect(countOf(await read(trusting))).toBe(3);
    for (const ca of [null, aCertificate().cert]) {
      const error = await toError(read(await connectLdap(server, { startTLS: !encrypted, network: { ca } })));
      expect(error.code).toBe('ReadFailed');
      expect(error.message).toContain('cannot be trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
    }
    expect(server.searches.filter(({ page }) => page > 0)).toHaveLength(1);
  });

  it('compares the name on the certificate with that of url', async () => {
    const tls = aCertificate();
    const { server } = await open(3, {}, { tls, encrypted });
    const url = server.url.replace('127.0.0.1', 'localhost');
    const source = await connectLdap({ ...server, url }, { startTLS: !encrypted, network: { ca: tls.cert } });
    expect((await toError(read(source))).message).toContain('cannot be trusted (ERR_TLS_CERT_ALTNAME_INVALID)');
    expect(server.searches).toEqual([]);
  });
});

describe('encryption', () => {
  it('that the server does not have keeps the password back', async () => {
    const { server, source } = await open(3, { startTLS: true });
    server.startTlsCode = 2;
    expect((await toError(read(source))).message).toContain('has no StartTLS (result 2); take ldaps://');
    expect(server.searches).toEqual([]);
  });

  it('is no LDAP where the server speaks something else', async () => {
    const { server } = await open(3);
    const url = server.url.replace('ldap:', 'ldaps:');
    expect((await toError(read(await connectLdap({ ...server, url })))).code).toBe('ReadFailed');
  });
});

it('says where it was looked when there is no such entry', async () => {
  const { source } = await open(3, { usersBaseDN: `ou=Nobody,${BASE}` });
  const error = await toError(read(source));
  expect(error.message).toContain(`has no entry ou=Nobody,${BASE} (result 32), or does not show it to this account`);
});
