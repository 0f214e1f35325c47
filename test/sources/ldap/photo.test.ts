/** Photos of people in a directory: what is asked for, and how often. Rule S13 itself stands in the conformance suite. */
import { expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { Source } from '../../../src/sources/source.ts';
import { type ServedEntry, startLdapServer, type Values } from '../../support/ldap-server.ts';
import { type ConnectOptions, connectLdap } from './connect.ts';
import { AD_BASE, AD_TREE, TREE, toAdUser, toPersonDn, toSampleGuid } from './entries.ts';

const SIGNAL = new AbortController().signal;
const PHOTO = Buffer.from('the first');
const OTHER = Buffer.from('another one');

function aPerson(uid: string, more: Readonly<Record<string, Values>>): ServedEntry {
  return { dn: toPersonDn(uid), attributes: { objectClass: ['inetOrgPerson'], uid: [uid], entryUUID: [uid], ...more } };
}

async function open(entries: readonly ServedEntry[], options: ConnectOptions = {}) {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  server.entries = entries;
  const source = await connectLdap(server, options);
  const asked = (): readonly (readonly string[])[] =>
    server.searches.filter(({ scope }) => scope === 2).map(({ attributes }) => attributes);
  return { server, source, asked, set: (now: readonly ServedEntry[]) => (server.entries = now) };
}

const lookAt = (
  source: Source,
  id: string,
  {
    etag = null,
    maxBytes = 10_000,
    signal = SIGNAL,
  }: { etag?: string | null; maxBytes?: number; signal?: AbortSignal } = {},
) => source.readPhoto?.({ id, active: true, attributes: {} }, { etag, maxBytes }, signal);

async function toError(work: Promise<unknown> | undefined): Promise<SyncError> {
  return Promise.resolve(work).then(
    () => new SyncError('Unknown', 'it answered'),
    (thrown: unknown) => SyncError.from(thrown),
  );
}

it('are sent when the entry has changed, which its entryCSN says', async () => {
  const ada = (csn: string, photo: Buffer) => [...TREE, aPerson('ada', { entryCSN: [csn], jpegPhoto: [photo] })];
  const { source, asked, set } = await open(ada('1', PHOTO));
  expect(await lookAt(source, 'ada')).toEqual({ kind: 'photo', etag: 'csn 1', bytes: PHOTO });
  expect(await lookAt(source, 'ada', { etag: 'csn 1' })).toEqual({ kind: 'unchanged' });
  set(ada('2', OTHER));
  expect(await lookAt(source, 'ada', { etag: 'csn 1' })).toEqual({ kind: 'photo', etag: 'csn 2', bytes: OTHER });
  const whole = ['entrycsn', 'jpegphoto'];
  expect(asked()).toEqual([whole, ['entrycsn'], ['entrycsn'], whole]);
});

it('of Active Directory are known again by the uSNChanged of one controller, and by no other', async () => {
  const settings = `CN=NTDS Settings,CN=DC1,${AD_BASE}`;
  const tree = (invocation: string, usn: string): readonly ServedEntry[] => [
    ...AD_TREE.map((entry) =>
      entry.dn === '' ? { ...entry, attributes: { ...entry.attributes, dsServiceName: [settings] } } : entry,
    ),
    { dn: settings, attributes: { objectClass: ['nTDSDSA'], invocationId: [Buffer.from(invocation)] } },
    toAdUser('ada', { uSNChanged: [usn], thumbnailPhoto: [PHOTO], jpegPhoto: [OTHER] }),
  ];
  const options = { schema: 'ActiveDirectory', baseDN: AD_BASE } as const;
  const { source, asked, set } = await open(tree('DC1', '7'), options);
  const id = toSampleGuid('ada');
  const etag = `usn ${Buffer.from('DC1').toString('hex')} 7`;
  expect(await lookAt(source, id)).toEqual({ kind: 'photo', etag, bytes: PHOTO });
  expect(await lookAt(source, id, { etag })).toEqual({ kind: 'unchanged' });
  expect(asked().at(-1)).toEqual(['usnchanged']);
  await source.close();
  set(tree('DC2', '7'));
  expect(await lookAt(source, id, { etag })).toMatchObject({ kind: 'photo', bytes: PHOTO });
});

it('are known again by their hash where the directory shows nothing else', async () => {
  const { source } = await open([...TREE, aPerson('ada', { jpegPhoto: [PHOTO] })]);
  const answer = await lookAt(source, 'ada');
  const etag = answer !== undefined && 'etag' in answer ? answer.etag : null;
  expect(etag).toMatch(/^sha256 [0-9a-f]{64}$/);
  expect(await lookAt(source, 'ada', { etag })).toEqual({ kind: 'unchanged' });
});

it('are always the same one of several', async () => {
  const { source, set } = await open([...TREE, aPerson('ada', { jpegPhoto: [PHOTO, OTHER] })]);
  const first = await lookAt(source, 'ada');
  set([...TREE, aPerson('ada', { jpegPhoto: [OTHER, PHOTO] })]);
  expect(await lookAt(source, 'ada')).toEqual(first);
});

it('that are much too large end the connection before they have come, and the next one is read all the same', async () => {
  const large = Buffer.alloc(2_000_000, 'x');
  const { server, source } = await open([
    ...TREE,
    aPerson('ada', { jpegPhoto: [large] }),
    aPerson('bea', { jpegPhoto: [PHOTO] }),
  ]);
  expect(await lookAt(source, 'ada')).toEqual({ kind: 'tooLarge', etag: null, size: null });
  expect(await lookAt(source, 'bea')).toMatchObject({ kind: 'photo', bytes: PHOTO });
  expect(server.connections()).toBe(2);
});

it('come one after another over one connection, which close ends', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const { server, source } = await open([
    ...TREE,
    ...names.map((name) => aPerson(name, { jpegPhoto: [Buffer.from(name)] })),
  ]);
  const answers = await Promise.all(names.map((name) => lookAt(source, name)));
  expect(answers.map((answer) => (answer?.kind === 'photo' ? String(answer.bytes) : answer?.kind))).toEqual(names);
  expect([server.connections(), server.open()]).toEqual([1, 1]);
  await source.close();
  await expect.poll(() => server.open()).toBe(0);
});

it('are read again over a new connection when one is lost', async () => {
  const { server, source } = await open([...TREE, aPerson('ada', { jpegPhoto: [PHOTO] })]);
  let isLost = true;
  server.fault = () => (isLost ? 'reset' : null);
  expect((await toError(lookAt(source, 'ada'))).code).toBe('ReadFailed');
  isLost = false;
  expect(await lookAt(source, 'ada')).toMatchObject({ kind: 'photo' });
});

it('end with an abort, also while the server is silent', async () => {
  const { server, source } = await open([...TREE, aPerson('ada', { jpegPhoto: [PHOTO] })]);
  server.fault = () => 'hang';
  const abort = new AbortController();
  const look = toError(lookAt(source, 'ada', { signal: abort.signal }));
  await expect.poll(() => server.searches.length).toBe(1);
  abort.abort();
  expect((await look).code).toBe('Aborted');
  server.fault = () => null;
  expect(await lookAt(source, 'ada')).toMatchObject({ kind: 'photo' });
});

it('of somebody who is not shown, or whose id is none, cannot be told', async () => {
  const { source } = await open(TREE);
  expect((await toError(lookAt(source, 'nobody'))).code).toBe('ReadFailed');
  const ofAd = await open(AD_TREE, { schema: 'ActiveDirectory', baseDN: AD_BASE });
  expect((await toError(lookAt(ofAd.source, 'nobody'))).code).toBe('RecordInvalid');
});
