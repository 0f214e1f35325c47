import { describe, expect, it } from 'vitest';
import { URN_GROUP } from '../../src/scim/schema.ts';
import { openTestDirectory, type TestDirectory } from './directory-client.ts';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

async function membersOf(directory: TestDirectory, path: string): Promise<string[]> {
  const { body } = await directory.call('GET', path);
  return (body.members ?? []).map((each: { value: string }) => each.value);
}

async function openWithPeople(count: number) {
  const directory = await openTestDirectory();
  const people: string[] = [];
  for (let index = 0; index < count; index += 1) people.push(await directory.addUser());
  return { directory, people };
}

describe('groups', () => {
  it('shows members, and the groups of users', async () => {
    const { directory, people } = await openWithPeople(2);
    const [ada = '', bob = ''] = people;
    const inner = await directory.addGroup('Inner', [bob]);
    const outer = await directory.addGroup('Outer', [ada, inner]);
    const { body } = await directory.call('GET', `/Groups/${outer}`);
    expect(body).toMatchObject({ schemas: [URN_GROUP], displayName: 'Outer', meta: { resourceType: 'Group' } });
    expect(body.members).toEqual([
      { value: ada, $ref: `${directory.url}/Users/${ada}`, type: 'User' },
      { value: inner, $ref: `${directory.url}/Groups/${inner}`, type: 'Group' },
    ]);
    const user = await directory.call('GET', `/Users/${bob}`);
    expect(user.body.groups).toEqual([
      { value: inner, $ref: `${directory.url}/Groups/${inner}`, display: 'Inner', type: 'direct' },
    ]);
    const bare = await directory.call('GET', `/Groups/${outer}?excludedAttributes=members`);
    expect(bare.body.members).toBeUndefined();
  });

  it('finds groups by member and users by group', async () => {
    const { directory, people } = await openWithPeople(3);
    const [ada = '', bob = ''] = people;
    const group = await directory.addGroup('Engines', [ada, bob]);
    await directory.addGroup('Looms', [bob]);
    const names = async (path: string, filter: string) => {
      const { body } = await directory.call('GET', `${path}?filter=${encodeURIComponent(filter)}`);
      return body.Resources.map((each: { displayName?: string; id: string }) => each.displayName ?? each.id);
    };
    expect(await names('/Groups', `members.value eq "${ada}"`)).toEqual(['Engines']);
    expect(await names('/Groups', `members[value eq "${bob.toUpperCase()}"]`)).toEqual(['Engines', 'Looms']);
    expect(await names('/Groups', 'not (members pr)')).toEqual([]);
    expect(await names('/Groups', 'members.type eq "user" and displayName sw "L"')).toEqual(['Looms']);
    expect(await names('/Users', `groups.value eq "${group}"`)).toEqual([ada, bob]);
    expect(await names('/Users', 'groups.display eq "looms"')).toEqual([bob]);
  });

  it('refuses members that do not exist, naming the id, and creates nothing', async () => {
    const { directory, people } = await openWithPeople(1);
    const refusal = { status: 400, body: { scimType: 'invalidValue', detail: expect.stringContaining(UNKNOWN_ID) } };
    const members = [{ value: people[0] }, { value: UNKNOWN_ID }];
    const body = { schemas: [URN_GROUP], displayName: 'Engines', members };
    expect(await directory.call('POST', '/Groups', body)).toMatchObject(refusal);
    expect((await directory.call('GET', '/Groups')).body.totalResults).toBe(0);
    const path = `/Groups/${await directory.addGroup('Engines')}`;
    expect(await directory.call('PUT', path, body)).toMatchObject(refusal);
    expect(await directory.patch(path, { op: 'add', path: 'members', value: members })).toMatchObject(refusal);
    expect(await membersOf(directory, path)).toEqual([]);
    expect((await directory.call('GET', path)).body.meta.version).toBe('W/"1"');
  });

  it.each([
    [{ displayName: undefined }, '"displayName" is required'],
    [{ displayName: 'x'.repeat(11) }, 'at most 10 characters'],
    [{ members: [{ type: 'User' }] }, '"members[0].value" is required'],
    [{ members: ['x'] }, '"members[0]" must be an object, as {"value": "…"}'],
    [{ userName: 'x' }, 'no schema has the attribute "userName"'],
  ])('refuses %j', async (attributes, detail) => {
    const directory = await openTestDirectory({ maxNameLength: 10 });
    const answer = await directory.call('POST', '/Groups', {
      schemas: [URN_GROUP],
      displayName: 'Engines',
      ...attributes,
    });
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(detail) } });
  });

  it('replaces by PUT, and empties without members', async () => {
    const { directory, people } = await openWithPeople(3);
    const [ada = '', bob = '', cyd = ''] = people;
    const path = `/Groups/${await directory.addGroup('Engines', [ada, bob])}`;
    const put = (members?: readonly string[]) =>
      directory.call('PUT', path, {
        schemas: [URN_GROUP],
        displayName: 'Engines',
        members: members?.map((value) => ({ value })),
      });
    expect((await put([bob, cyd])).body.meta.version).toBe('W/"2"');
    expect(await membersOf(directory, path)).toEqual([bob, cyd]);
    expect((await put([cyd, bob])).body.meta.version).toBe('W/"2"');
    expect((await put()).body.members).toBeUndefined();
    expect(await membersOf(directory, path)).toEqual([]);
  });

  it('takes a deleted user or group out of its groups, which get a new version', async () => {
    const { directory, people } = await openWithPeople(2);
    const [ada = '', bob = ''] = people;
    const inner = await directory.addGroup('Inner', [ada]);
    const path = `/Groups/${await directory.addGroup('Outer', [ada, bob, inner])}`;
    await directory.call('DELETE', `/Users/${ada}`);
    expect(await membersOf(directory, path)).toEqual([bob, inner]);
    expect((await directory.call('GET', path)).headers.get('etag')).toBe('W/"2"');
    await directory.call('DELETE', `/Groups/${inner}`);
    expect(await membersOf(directory, path)).toEqual([bob]);
    await directory.call('DELETE', path);
    expect((await directory.call('GET', `/Users/${bob}`)).body.groups).toBeUndefined();
  });
});

describe('PATCH of groups', () => {
  it('adds and removes members as in the examples of RFC 7644 sections 3.5.2.1 and 3.5.2.2', async () => {
    const { directory, people } = await openWithPeople(4);
    const [ada = '', bob = '', cyd = '', dan = ''] = people;
    const path = `/Groups/${await directory.addGroup('Engines', [ada])}`;
    const added = await directory.patch(path, { op: 'add', path: 'members', value: [{ display: 'Bob', value: bob }] });
    expect(added).toMatchObject({ status: 204, body: null });
    expect(added.headers.get('etag')).toBe('W/"2"');
    expect(await membersOf(directory, path)).toEqual([ada, bob]);
    await directory.patch(
      path,
      { op: 'add', value: { members: [{ value: cyd }] } },
      { op: 'add', path: 'members', value: { value: dan } },
    );
    expect(await membersOf(directory, path)).toEqual([ada, bob, cyd, dan]);
    await directory.patch(path, { op: 'remove', path: `members[value eq "${bob}"]` });
    expect(await membersOf(directory, path)).toEqual([ada, cyd, dan]);
    await directory.patch(path, { op: 'remove', path: `members[value eq "${ada}" or value eq "${dan}"]` });
    expect(await membersOf(directory, path)).toEqual([cyd]);
    await directory.patch(path, { op: 'remove', path: 'members[type eq "user" and value sw ""]' });
    expect(await membersOf(directory, path)).toEqual([]);
    await directory.patch(path, { op: 'replace', path: 'members', value: [{ value: ada }, { value: bob }] });
    // the last example of section 3.5.2.2: one member goes, another comes
    await directory.patch(
      path,
      { op: 'remove', path: `members[value eq "${ada}"]` },
      { op: 'add', path: 'members', value: [{ value: cyd }] },
    );
    expect(await membersOf(directory, path)).toEqual([bob, cyd]);
    await directory.patch(path, { op: 'remove', path: 'members' });
    expect(await membersOf(directory, path)).toEqual([]);
  });

  it('changes nothing and no version when members are as asked for', async () => {
    const { directory, people } = await openWithPeople(2);
    const [ada = '', bob = ''] = people;
    const path = `/Groups/${await directory.addGroup('Engines', [ada])}`;
    const answer = await directory.patch(
      path,
      { op: 'add', path: 'members', value: [{ value: ada }, { value: ada }] },
      { op: 'remove', path: `members[value eq "${bob}"]` },
      { op: 'remove', path: `members[value eq "${UNKNOWN_ID}"]` },
      { op: 'replace', value: { displayName: 'Engines', id: 'x' } },
      { op: 'replace', path: 'members', value: [{ value: ada }] },
    );
    expect(answer).toMatchObject({ status: 204 });
    expect(answer.headers.get('etag')).toBe('W/"1"');
  });

  it('renames, and shows the group when a projection is asked for', async () => {
    const { directory, people } = await openWithPeople(1);
    const path = `/Groups/${await directory.addGroup('Engines', people)}`;
    const renamed = await directory.call('PATCH', `${path}?excludedAttributes=members`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'displayName', value: 'Looms' }],
    });
    expect(renamed).toMatchObject({ status: 200, body: { displayName: 'Looms', meta: { version: 'W/"2"' } } });
    expect(renamed.body.members).toBeUndefined();
    const found = await directory.call('GET', '/Groups?filter=displayName%20eq%20%22looms%22');
    expect(found.body.totalResults).toBe(1);
  });

  it('refuses a remove that names members in its value, which would empty the group', async () => {
    const { directory, people } = await openWithPeople(2);
    const path = `/Groups/${await directory.addGroup('Engines', people)}`;
    const refused = await directory.patch(path, { op: 'remove', path: 'members', value: [{ value: people[0] }] });
    expect(refused).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } });
    expect(await membersOf(directory, path)).toEqual(people);
  });

  it.each([
    ['members[value eq "x"]', { op: 'replace', value: { value: 'y' } }],
    ['members[value eq "x"].value', { op: 'replace', value: 'y' }],
    ['members.value', { op: 'remove' }],
  ])('refuses to change members in place: %s', async (path, operation) => {
    const { directory, people } = await openWithPeople(1);
    const group = `/Groups/${await directory.addGroup('Engines', people)}`;
    expect(await directory.patch(group, { path, ...operation })).toMatchObject({
      status: 400,
      body: { scimType: 'mutability' },
    });
  });

  it('takes back the members of a PATCH that fails later', async () => {
    const { directory, people } = await openWithPeople(1);
    const path = `/Groups/${await directory.addGroup('Engines')}`;
    const failed = await directory.patch(
      path,
      { op: 'add', path: 'members', value: people.map((value) => ({ value })) },
      { op: 'add', path: 'members', value: [{ value: UNKNOWN_ID }] },
    );
    expect(failed.status).toBe(400);
    expect(await membersOf(directory, path)).toEqual([]);
    const self = path.slice('/Groups/'.length);
    expect(await directory.patch(path, { op: 'add', path: 'members', value: [{ value: self }] })).toMatchObject({
      status: 400,
      body: { detail: 'a group cannot be a member of itself' },
    });
  });

  it('keeps every member that many writers add at once', async () => {
    const { directory, people } = await openWithPeople(20);
    const path = `/Groups/${await directory.addGroup('Engines')}`;
    await Promise.all(people.map((value) => directory.patch(path, { op: 'add', path: 'members', value: [{ value }] })));
    expect(await membersOf(directory, path)).toEqual(people);
  });
});
