/** The whole way from a domain controller of Samba to an application: everybody, and then what has changed. */
import { Attribute, Change } from 'ldapts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCompany, readTeams, readUsers, startApplication, TOKEN, toSyncText } from '../cli/company.ts';
import { AD_BASE, type Samba, SYNCER, startSamba } from './samba.ts';

const PEOPLE = `OU=People,${AD_BASE}`;
const toDn = (name: string): string => `CN=${name},${PEOPLE}`;

let samba: Samba;

async function addPerson(name: string): Promise<void> {
  await samba.client.add(toDn(name), {
    objectClass: ['top', 'person', 'organizationalPerson', 'user'],
    sAMAccountName: name,
    userPrincipalName: `${name}@corp.example`,
    mail: `${name}@corp.example`,
    displayName: `The ${name}`,
    givenName: 'The',
    sn: name,
    userAccountControl: '544',
    ...(name === 'boss' ? {} : { manager: toDn('boss') }),
  });
}

async function replace(dn: string, type: string, values: string[]): Promise<void> {
  const modification = new Attribute({ type, values });
  await samba.client.modify(dn, new Change({ operation: 'replace', modification }));
}

beforeAll(async () => {
  samba = await startSamba();
  await samba.client.add(PEOPLE, { objectClass: ['top', 'organizationalUnit'] });
  for (const name of ['boss', 'ada', 'bea', 'cyd', 'dan']) await addPerson(name);
  const staff = { objectClass: ['top', 'group'], sAMAccountName: 'Staff', member: [toDn('ada'), toDn('bea')] };
  await samba.client.add(toDn('Staff'), staff);
}, 900_000);

afterAll(() => samba.stop());

it('by the preset, groups and all, what has changed comes to what a full read comes to', async () => {
  const application = await startApplication();
  const secret = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ad' } },
    stringData: { ...SYNCER, 'ca.crt': samba.authority },
  };
  const source = `source: { ldap: { url: "${samba.url}", baseDN: "${PEOPLE}", schema: ActiveDirectory, credentialsRef: { name: ad }, caRef: { kind: Secret, name: ad, key: ca.crt } } }
  groups: { provision: All }`;
  const company = await createCompany({
    'manifests/sync.yaml': toSyncText({ url: application.url })
      .replace(/source: .*/, source)
      .replace(/\n +mappings:.*/, ''),
    'manifests/app.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: app }\nstringData: { token: ${TOKEN} }\n`,
    'manifests/ad.json': JSON.stringify(secret),
  });
  const apply = async (...more: string[]): Promise<string> => {
    const { code, stdout, stderr } = await company.apply(...more);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    return stdout;
  };
  expect(await apply()).toContain('5 created');
  expect([...(await readUsers(application)).keys()].toSorted()).toEqual(
    ['ada', 'bea', 'boss', 'cyd', 'dan'].map((name) => `${name}@corp.example`),
  );

  await replace(toDn('ada'), 'displayName', ['Ada']);
  await replace(toDn('cyd'), 'userAccountControl', ['546']);
  await samba.client.del(toDn('dan'));
  await addPerson('eve');
  await samba.client.modifyDN(toDn('bea'), toDn('bee'));
  await replace(toDn('Staff'), 'member', [toDn('bee'), toDn('eve')]);
  expect(await apply()).toContain('1 created, 1 updated, 2 deactivated');
  const status = await company.status();
  expect(status.lastRun?.kind).toBe('Delta');
  expect(status.conditions?.find(({ type }) => type === 'SourceRead')?.message).toBe(
    'the changes since the last read arrived whole',
  );
  expect(await readTeams(application)).toEqual({ Staff: ['bea@corp.example', 'eve@corp.example'] });
  expect(await apply('--resync')).toContain('nothing changes');
}, 600_000);
