/** An export of a directory in LDIF: who is in scope by groups in groups, which are named as the directory names them. */
import { describe, expect, it } from 'vitest';
import { type Company, createCompany, MAPPING, readUsers, SECRET, startApplication, toSyncText } from './company.ts';

const person = (uid: string): string =>
  `dn: uid=${uid},ou=people,dc=corp\nobjectClass: inetOrgPerson\nentryUUID: u-${uid}\nuid: ${uid}\nuserName: ${uid}@corp.example\ntitle: Agent\ndepartment: Sales\n\n`;
const group = (cn: string, members: readonly string[]): string =>
  `dn: cn=${cn},ou=groups,dc=corp\nobjectClass: groupOfNames\nentryUUID: g-${cn}\ncn: ${cn}\n${members.map((dn) => `member: ${dn}\n`).join('')}\n`;

const EXPORT = [
  ...['ada', 'bob', 'eve'].map(person),
  group('staff', ['UID=ada,ou=people,dc=corp', 'cn=Web,OU=groups,dc=corp']),
  group('web', ['uid=bob,ou=people,dc=corp']),
].join('');

async function aCompany(url: string, nestedGroups: string): Promise<Company> {
  const sync = toSyncText({
    url,
    spec: `  scope: { users: MembersOfGroups, groups: [ staff ], nestedGroups: ${nestedGroups} }\n`,
  }).replace(
    '{ file: { users: { path: people.csv } } }',
    '{ file: { users: { path: all.ldif }, groups: { path: all.ldif }, idAttribute: entryUUID, membersAttribute: member } }',
  );
  return createCompany({
    'manifests/sync.yaml': sync,
    'manifests/mapping.yaml': MAPPING.replace('source: id,', 'source: entryUUID,'),
    'manifests/secret.yaml': SECRET,
    'manifests/all.ldif': EXPORT,
  });
}

describe('an export in LDIF', () => {
  it.each([
    ['Flatten', ['ada@corp.example', 'bob@corp.example']],
    ['DirectOnly', ['ada@corp.example']],
  ])('has groups in groups, which count with nestedGroups %s', async (nestedGroups, names) => {
    const application = await startApplication();
    const company = await aCompany(application.url, nestedGroups);
    expect(await company.apply()).toMatchObject({ code: 0 });
    expect([...(await readUsers(application)).keys()].sort()).toEqual(names);
  });
});
