import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLdif } from '../../../src/sources/file/ldif.ts';
import type { GroupPage } from '../../../src/sources/source.ts';
import { cut } from './chunks.ts';
import { connectFile, createFileAccess, readContent, readFailure, toFormatOptions, withFolder } from './files.ts';

const PEOPLE = `# a whole export
version: 1

dn: dc=corp,dc=example
objectClass: domain
dc: corp

dn: uid=ada,ou=people,dc=corp,dc=example
objectClass: inetOrgPerson
entryUUID: 7c0e1f52
cn: Ada Byron
description: a long
  text that goes
  on
# a comment that
 goes on too
mail: ada@corp.example
mail: byron@corp.example
userPassword:: e1NTSEF9eHh4eA==

dn:: dWlkPXpvw6ssb3U9cGVvcGxl
objectclass: inetOrgPerson
entryuuid: 92aa
CN:: Wm/DqyBPbG9mc3Nvbg==
mail:
jpegPhoto:: /9j/4A==

dn: cn=sales,ou=groups,dc=corp,dc=example
objectClass: groupOfNames
entryUUID: 11
cn: Sales
member: uid=ada,ou=people,dc=corp,dc=example
`;

const LDIF = { name: 'people.ldif', idAttribute: 'entryUUID' } as const;

describe('LDIF', () => {
  it('reads entries with folded lines, comments, base64 and several values', async () => {
    const { users, attributes } = await readContent(PEOPLE, LDIF);
    expect(users).toEqual([
      {
        id: '7c0e1f52',
        active: true,
        position: 'line 8',
        attributes: {
          dn: 'uid=ada,ou=people,dc=corp,dc=example',
          objectClass: 'inetOrgPerson',
          entryUUID: '7c0e1f52',
          cn: 'Ada Byron',
          description: 'a long text that goes on',
          mail: ['ada@corp.example', 'byron@corp.example'],
        },
      },
      {
        id: '92aa',
        active: true,
        position: 'line 21',
        attributes: {
          dn: 'uid=zoë,ou=people',
          objectClass: 'inetOrgPerson',
          entryUUID: '92aa',
          cn: 'Zoë Olofsson',
          mail: '',
          jpegPhoto: '/9j/4A==',
        },
      },
    ]);
    expect(attributes).toEqual(['dn', 'objectClass', 'entryUUID', 'cn', 'description', 'mail', 'jpegPhoto']);
  });

  it('reads the same with the line ends of Windows', async () => {
    const [unix, windows] = [await readContent(PEOPLE, LDIF), await readContent(PEOPLE.replaceAll('\n', '\r\n'), LDIF)];
    expect(windows).toEqual(unix);
  });

  it('reads the same, wherever the chunks end', async () => {
    const options = { ...toFormatOptions('people.ldif'), idAttribute: 'entryUUID' };
    for (const size of [1, 2, 7, 100]) {
      const records = [];
      for await (const some of readLdif(cut(PEOPLE, size), options)) records.push(...some);
      expect(records).toHaveLength(2);
      expect(records[0]?.attributes['description']).toBe('a long text that goes on');
    }
  });

  it('spells names as mappings do', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'people.ldif'), 'dn: uid=1\nUID: 1\nGIVENNAME: Ada\n');
      const source = await connectFile(
        { users: { path: 'people.ldif' }, idAttribute: 'uid' },
        createFileAccess(folder),
      );
      for await (const page of source.readUsers(['givenName'], new AbortController().signal)) {
        expect(page.users[0]?.attributes).toEqual({ dn: 'uid=1', uid: '1', givenName: 'Ada' });
      }
    });
  });

  it('shows objectGUID as Active Directory does, and other bytes as base64', async () => {
    const guid = Buffer.from('33221100554477668899aabbccddeeff', 'hex').toString('base64');
    const { users } = await readContent(
      `dn: cn=1\nobjectGUID:: ${guid}\nobjectSid:: AQUAAA==\nuserCertificate;binary:: QUJD\nx:: /w==\n`,
      {
        name: 'people.ldif',
        idAttribute: 'objectGUID',
      },
    );
    expect(users[0]).toMatchObject({
      id: '00112233-4455-6677-8899-aabbccddeeff',
      attributes: { objectSid: 'AQUAAA==', 'userCertificate;binary': 'QUJD', x: '/w==' },
    });
  });

  it('reads groups, whose members are distinguished names', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'all.ldif'), PEOPLE.replace('ou=people,dc=corp,dc=example\n', 'ou=a\\;b\n'));
      const path = 'all.ldif';
      const config = { users: { path }, groups: { path }, idAttribute: 'entryUUID', membersAttribute: 'member' };
      const source = await connectFile(config, createFileAccess(folder));
      const pages: GroupPage[] = [];
      for await (const page of source.readGroups?.([], new AbortController().signal) ?? []) pages.push(page);
      expect(pages.flatMap(({ groups }) => groups.map(({ id, displayName }) => [id, displayName]))).toEqual([
        ['11', 'Sales'],
      ]);
      expect(pages.flatMap(({ members }) => members)).toEqual([
        { group: '11', members: [{ kind: 'Any', ref: 'uid=ada,ou=people,dc=corp,dc=example' }] },
      ]);
    });
  });

  it('says by which names a group is a member of others', async () => {
    await withFolder(async (folder) => {
      const group = (name: string, ...members: string[]) =>
        `DN: cn=${name},dc=corp\nobjectClass: groupOfNames\nentryUUID: ${name}\ncn: ${name}\n${members.map((member) => `member: ${member}\n`).join('')}\n`;
      await writeFile(join(folder, 'all.ldif'), `${group('eng', 'CN=SRE,dc=corp')}${group('sre', 'uid=ada,dc=corp')}`);
      await writeFile(
        join(folder, 'all.json'),
        JSON.stringify([
          { id: 1, distinguishedName: 'CN=One', members: [] },
          { id: 2, dn: ' ', distinguishedName: '', members: [] },
        ]),
      );
      const aliases: unknown[] = [];
      for (const [path, more] of [
        ['all.ldif', { idAttribute: 'entryUUID', membersAttribute: 'member' }],
        ['all.json', {}],
      ] as const) {
        const source = await connectFile({ users: { path }, groups: { path }, ...more }, createFileAccess(folder));
        for await (const page of source.readGroups?.([], new AbortController().signal) ?? [])
          aliases.push(...page.groups.map((each) => each.aliases));
      }
      expect(aliases).toEqual([['cn=eng,dc=corp'], ['cn=sre,dc=corp'], ['CN=One'], undefined]);
    });
  });

  it('takes the version alone for a list with nobody in it', async () => {
    expect((await readContent('version: 1\n', LDIF)).users).toEqual([]);
  });

  it.each([
    ['nothing', '', 'it is empty; there must be "version: 1" or an entry'],
    ['comments alone', '# none\n', 'it is empty; there must be "version: 1" or an entry'],
    ['a line that is none', 'dn: uid=1\nid 1\n', 'line 2 is no line of LDIF: neither "name: value" nor a continuation'],
    ['a continuation of nothing', ' dn: uid=1\n', 'line 1 continues another one, and there is none before it'],
    [
      'a continuation of a blank line',
      'dn: uid=1\nid: 1\n\n x\n',
      'line 4 continues another one, and there is none before it',
    ],
    ['an entry without a dn', 'dn: uid=1\nid: 1\n\nid: 2\n', 'line 4 begins an entry, and is no "dn:"'],
    [
      'a value at a URL',
      'dn: uid=1\nid:< file:///etc/passwd\n',
      'line 2 has a value at a URL, which is not read; export the values themselves',
    ],
    ['base64 that is none', 'dn: uid=1\nid:: ab*c\n', 'line 2 has base64 that is none'],
    ['base64 that is cut off', 'dn: uid=1\nid:: abc\n', 'line 2 has base64 that is none'],
    ['a change', 'dn: uid=1\nchangetype: delete\n', 'line 2 is a change; the file must hold the entries themselves'],
    ['an end in a line', 'dn: uid=1\nid: 1', 'it ends in the middle of line 2; it is cut off'],
    [
      'an entry without the id',
      'dn: uid=1\nmail: a@b\n',
      'line 1 has no "id"; there are: dn, mail. Set idAttribute to the one that has each person\'s immutable id',
    ],
    ['an entry with two ids', 'dn: uid=1\nid: 1\nid: 2\n', 'line 1: the id ("id") is neither a text nor an integer'],
    ['a line that is too long', `dn: uid=1\nid: ${'1'.repeat(1_100_000)}\n`, 'line 2 is longer than 1 MiB'],
    [
      'a folded line that is too long',
      `dn: uid=1\nid: ${`1\n ${'1'.repeat(1_000)}`.repeat(1_200)}\n`,
      'line 2 is longer than 1 MiB',
    ],
    [
      'an entry that is too large',
      `dn: uid=1\n${`m: ${'1'.repeat(1_000)}\n`.repeat(1_200)}`,
      'line 1 begins an entry that is larger than 1 MiB',
    ],
  ])('refuses %s', async (_because, content, message) => {
    const failure = await readFailure(content, { name: 'people.ldif' });
    expect(failure).toMatchObject({ code: 'ReadFailed', message: `cannot read people.ldif: ${message}` });
  });
});
