import { describe, expect, it } from 'vitest';
import { toKnownId, toSentId } from '../../../src/targets/scim/ids.ts';
import { fromSentMark, toSentMark } from '../../../src/targets/scim/marks.ts';
import { createObservations } from '../../../src/targets/scim/observations.ts';
import type { PatchOperation } from '../../../src/targets/scim/patch.ts';
import { PROFILES } from '../../../src/targets/scim/profiles.ts';
import { markPrimaryMail, toWire } from '../../../src/targets/scim/shape.ts';

describe('ids', () => {
  const lower = 'abcdef00-0000-4000-8000-000000000001';

  it('UUIDs are one id in any case; others are what they are', () => {
    expect(toKnownId(lower.toUpperCase())).toBe(lower);
    expect(toKnownId('User-A')).toBe('User-A');
  });

  it('are sent as the application spells them', () => {
    expect(toSentId(lower, { upperIds: true })).toBe(lower.toUpperCase());
    expect(toSentId(lower, { upperIds: false })).toBe(lower);
    expect(toSentId('user-a', { upperIds: true })).toBe('user-a');
  });
});

describe('marks of teams', () => {
  const { forbiddenCharacters } = PROFILES.AWSIdentityCenter;

  it.each(['dirsync:identity/acme:finance', 'dirsync:a/b:50 % ~ <x>; y', 'plain'])(
    '%j comes back as it was',
    (mark) => {
      const sent = toSentMark(mark, forbiddenCharacters);
      expect([...sent].filter((each) => forbiddenCharacters.includes(each))).toEqual([]);
      expect(fromSentMark(sent, forbiddenCharacters)).toBe(mark);
    },
  );

  it('stay as they are where nothing is refused', () => {
    expect(toSentMark('dirsync:a/b:~x', '')).toBe('dirsync:a/b:~x');
    expect(fromSentMark('dirsync:a/b:~3a', '')).toBe('dirsync:a/b:~3a');
  });
});

describe('operations on the wire', () => {
  const operations: PatchOperation[] = [
    { op: 'replace', path: 'displayName', value: 'Ada' },
    { op: 'add', path: 'name.givenName', value: 'Ada' },
    { op: 'remove', path: 'title' },
    { op: 'replace', path: 'emails[type eq "work"].value', value: 'ada@corp.example' },
  ];

  it('Standard sends them as they are', () => {
    expect(toWire(operations, PROFILES.Standard)).toEqual(operations);
  });

  it('MicrosoftStyle puts what needs no filter into one without a path, with dotted keys', () => {
    expect(toWire(operations, PROFILES.MicrosoftStyle)).toEqual([
      { op: 'replace', value: { displayName: 'Ada', 'name.givenName': 'Ada' } },
      { op: 'remove', path: 'title' },
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'ada@corp.example' },
    ]);
  });

  it('MicrosoftStyle leaves changes of members alone (T6)', () => {
    const members: PatchOperation[] = [
      { op: 'remove', path: 'members[value eq "u1"]' },
      { op: 'add', path: 'members', value: [{ value: 'u2' }] },
    ];
    expect(toWire(members, PROFILES.MicrosoftStyle)).toEqual(members);
  });

  it('MicrosoftStyleLegacy: one for each attribute, capitals, words for booleans, a list of one for a reference', () => {
    const manager = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager';
    const old: PatchOperation[] = [
      ...operations,
      { op: 'replace', path: 'active', value: false },
      { op: 'add', path: manager, value: { value: 'u1' } },
      { op: 'replace', path: 'addresses[type eq "work"].locality', value: 'Belfast' },
    ];
    expect(toWire(old, PROFILES.MicrosoftStyleLegacy)).toEqual([
      { op: 'Replace', path: 'displayName', value: 'Ada' },
      { op: 'Add', path: 'name.givenName', value: 'Ada' },
      { op: 'Remove', path: 'title' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'ada@corp.example' },
      { op: 'Replace', path: 'active', value: 'False' },
      { op: 'Add', path: manager, value: [{ value: 'u1' }] },
      { op: 'Replace', path: 'addresses[type eq "work"].locality', value: 'Belfast' },
    ]);
  });

  it('roles that are added are an operation of their own, and texts of JSON to Entra’s client without the flag', () => {
    const role = { value: 'Editor', display: 'Editors', type: 'WindowsAzureActiveDirectoryRole', primary: false };
    const added: PatchOperation[] = [
      { op: 'replace', path: 'displayName', value: 'Ada' },
      { op: 'add', path: 'roles', value: [role] },
    ];
    expect(toWire(added, PROFILES.MicrosoftStyle)).toEqual([
      { op: 'replace', value: { displayName: 'Ada' } },
      { op: 'add', path: 'roles', value: [role] },
    ]);
    const withId: PatchOperation = { op: 'add', path: 'roles', value: [{ id: 'r1', ...role }] };
    expect(toWire([withId], PROFILES.MicrosoftStyleLegacy)).toEqual([
      { op: 'Add', path: 'roles', value: [{ value: '{"id":"r1","value":"Editor","displayName":"Editors"}' }] },
    ]);
    expect(toWire([{ op: 'replace', path: 'roles', value: [role] }], PROFILES.MicrosoftStyleLegacy)).toEqual([
      { op: 'Replace', path: 'roles', value: [role] },
    ]);
  });

  it('GitLab wants capitals', () => {
    const [first] = toWire([{ op: 'replace', path: 'active', value: false }], PROFILES.GitLab);
    expect(first).toEqual({ op: 'Replace', path: 'active', value: false });
  });

  it('AWSIdentityCenter wants the mail address to be the primary one', () => {
    const emails = [{ type: 'work', value: 'ada@corp.example' }];
    const primary = [{ type: 'work', value: 'ada@corp.example', primary: true }];
    expect(markPrimaryMail({ emails }, PROFILES.AWSIdentityCenter)).toEqual({ emails: primary });
    expect(markPrimaryMail({ emails }, PROFILES.Standard)).toEqual({ emails });
    expect(toWire([{ op: 'add', path: 'emails', value: emails }], PROFILES.AWSIdentityCenter)).toEqual([
      { op: 'add', path: 'emails', value: primary },
    ]);
  });
});

const NOW = (): Date => new Date('2026-03-01T09:00:00Z');

describe('observations', () => {
  const dropped = { sent: 'Engineer', shown: undefined };

  it('T11 one look that shows nothing decides nothing; two, or two answers that agree, do', () => {
    const seen = createObservations(null, NOW);
    seen.note('User', 'title', { ...dropped, weight: 1 });
    expect(seen.behaviour('User', 'title')).toBeNull();
    expect(seen.isOpen('User', 'title')).toBe(true);
    seen.note('User', 'title', { ...dropped, weight: 1 });
    expect(seen.behaviour('User', 'title')).toEqual({ writes: 'onCreate', shows: 'never' });
    expect(seen.isOpen('User', 'title')).toBe(false);
  });

  it('T11 what was kept once is kept: a later special value says nothing of the attribute', () => {
    const seen = createObservations(null, NOW);
    seen.note('User', 'title', { sent: 'Engineer', shown: 'Engineer', weight: 1 });
    seen.note('User', 'title', { ...dropped, weight: 2 });
    expect(seen.behaviour('User', 'title')).toBeNull();
  });

  it('T11 a value that somebody has brings a dropped attribute back', () => {
    const seen = createObservations(null, NOW);
    seen.note('User', 'title', { ...dropped, weight: 2 });
    seen.noteSeen('User', 'title');
    expect(seen.behaviour('User', 'title')).toBeNull();
  });

  it.each([
    ['Ada', 'ADA', 'otherCase'],
    ['Ada', 'a.d.a', 'otherwise'],
    ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', 'exactly'],
    [7, '7', 'exactly'],
    [true, 'True', 'otherCase'],
  ] as const)('%j that comes back as %j is shown %s', (sent, shown, how) => {
    const seen = createObservations(null, NOW);
    seen.note('User', 'title', { sent, shown, weight: 2 });
    expect(seen.behaviour('User', 'title')?.shows ?? 'exactly').toBe(how);
  });

  it('are remembered, and what nobody understands is not', () => {
    const memory = { patchRefused: true, membersPerRequest: 25, attributes: { 'User a': { fate: '?' } } };
    const seen = createObservations(memory, NOW);
    seen.note('Team', 'displayName', { sent: 'A B', shown: 'a-b', weight: 2 });
    seen.upperIds = true;
    const again = createObservations(seen.toMemory(), NOW);
    expect(again).toMatchObject({ patchRefused: true, membersPerRequest: 25, upperIds: true, deletionRefused: false });
    expect(again.remarkable()).toEqual([{ kind: 'Team', path: 'displayName', fate: 'otherwise' }]);
  });

  describe('deletion', () => {
    const forbid = (seen: ReturnType<typeof createObservations>, ...ids: string[]): boolean => {
      for (const id of ids) seen.noteDeletion({ end: 'forbidden', id });
      return seen.deletionRefused;
    };

    it('T7 forbidden for one account, however often, is about that account; for three it is about all', () => {
      const seen = createObservations(null, NOW);
      expect(forbid(seen, 'a', 'a', 'a', 'b')).toBe(false);
      const later = createObservations(seen.toMemory(), NOW);
      expect(forbid(later, 'b')).toBe(false);
      expect(forbid(later, 'c')).toBe(true);
    });

    it('T7 where an account was deleted, those that may not be are told one by one', () => {
      const seen = createObservations(null, NOW);
      seen.noteDeletion({ end: 'done', id: 'z' });
      expect(forbid(createObservations(seen.toMemory(), NOW), 'a', 'b', 'c', 'd')).toBe(false);
    });

    it('T10 an operation that is not there is not tried for a week, then once, and again if it has come', () => {
      let now = NOW();
      const seen = createObservations(null, () => now);
      seen.noteDeletion({ end: 'unsupported', id: 'z' });
      const isRefusedAfter = (days: number): boolean => {
        now = new Date(NOW().getTime() + days * 86_400_000);
        return createObservations(seen.toMemory(), () => now).deletionRefused;
      };
      expect([isRefusedAfter(0), isRefusedAfter(6.9), isRefusedAfter(7)]).toEqual([true, true, false]);
      seen.noteDeletion({ end: 'unsupported', id: 'z' });
      expect([isRefusedAfter(13.9), isRefusedAfter(14)]).toEqual([true, false]);
      seen.noteDeletion({ end: 'done', id: 'z' });
      expect(isRefusedAfter(13)).toBe(false);
    });
  });
});
