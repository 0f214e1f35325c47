import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SCIM_PROFILES, type ScimProfileName } from '../../../src/api/providers.ts';
import { assertValues, checkUse, toBehaviour } from '../../../src/targets/scim/profile-rules.ts';
import { PROFILES, type Profile } from '../../../src/targets/scim/profiles.ts';

const PAGE = readFileSync(new URL('../../../docs/targets/scim.md', import.meta.url), 'utf8');

/** The row of a profile as the page must have it. */
function toRow(name: string, profile: Profile): string {
  const { members, filters } = profile;
  const limits = members.mixed ? `${members.total}` : `${members.add} added or ${members.remove} removed`;
  const names = filters.User === null ? 'any attribute' : Object.keys(filters.User).join(', ');
  const cells = [
    `\`${name}\``,
    profile.patch,
    profile.put ? 'yes' : 'no',
    profile.groups === 'none' ? '–' : limits,
    profile.groups === 'none' ? '–' : profile.readMembers === 'full' ? 'yes' : 'by filter',
    `${profile.paging}${profile.pageSize === null ? '' : `, ${profile.pageSize}`}`,
    names,
    profile.deleteUser,
    profile.activeFalse,
    profile.groups === 'none' ? 'none' : profile.renameGroup ? profile.groups : `${profile.groups}, no renaming`,
    profile.asOf,
  ];
  return `| ${cells.join(' | ')} |`;
}

describe('the page of the target', () => {
  it.each(SCIM_PROFILES)('has the row of %s as the data has it', (name) => {
    expect(PAGE).toContain(toRow(name, PROFILES[name]));
  });

  it('has no row of a profile that does not exist', () => {
    const table = PAGE.slice(PAGE.indexOf('| profile | `PATCH` |'));
    const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
    expect(rows.map((row) => /^\| `(\w+)`/.exec(row)?.[1])).toEqual([...SCIM_PROFILES]);
  });

  it.each(SCIM_PROFILES)('names the source of the facts of %s', (name) => {
    expect(PAGE).toContain(PROFILES[name].source);
  });
});

describe('what a DirectorySync wants of a profile', () => {
  const NAMES = ['userName', 'externalId', 'name.givenName', 'name.familyName', 'displayName', 'active'];
  const check = (profile: ScimProfileName, userPaths: readonly string[], more = {}) =>
    checkUse(
      { url: 'https://app.example.com', credentialsRef: { name: 'a' }, profile },
      {
        userPaths,
        teamPaths: [],
        teams: false,
        deletes: false,
        ...more,
      },
    ).map(({ severity, message }) => `${severity}: ${message}`);

  it('Standard wants nothing but a userName', () => {
    expect(check('Standard', ['userName', 'photos'], { teams: true, deletes: true })).toEqual([]);
  });

  it('a required attribute without an entry is an error that names it', () => {
    expect(check('AWSIdentityCenter', ['userName', 'name.givenName'])).toEqual([
      'error: the profile AWSIdentityCenter requires name.familyName, displayName of every new user, and no entry of the mappings writes it',
    ]);
    expect(check('MicrosoftEntra', [...NAMES, 'urn:example:params:2.0:User:mailNickname'])).toEqual([]);
  });

  it('an attribute that is not taken is a warning that names it', () => {
    expect(check('AWSIdentityCenter', [...NAMES, 'photos[type eq "photo"].value'])).toEqual([
      'warning: the profile AWSIdentityCenter does not take these attributes, which are left out: photos[type eq "photo"].value',
    ]);
  });

  it('attributes that cannot be changed later are named', () => {
    expect(check('GitLab', ['userName', 'externalId', 'emails[type eq "work"].value', 'name.formatted'])).toEqual([
      expect.stringMatching(/^warning: .* only when an account is made.*: userName, externalId, emails/),
      expect.stringMatching(/^warning: .* removed: Deactivate is carried out, and guarded, as Delete$/),
    ]);
  });

  it('two entries of a list are an error where one is taken', () => {
    const phones = ['phoneNumbers[type eq "work"].value', 'phoneNumbers[type eq "mobile"].value'];
    expect(check('AWSIdentityCenter', [...NAMES, ...phones])).toEqual([
      'error: the profile AWSIdentityCenter takes one entry of phoneNumbers, and the mappings write phoneNumbers[type eq "work"] and phoneNumbers[type eq "mobile"]; leave one out',
    ]);
  });

  it('teams and deletions that cannot be had are warnings', () => {
    const lines = (profile: ScimProfileName) => check(profile, NAMES, { teams: true, deletes: true });
    expect(lines('Zoom')).toContainEqual(expect.stringContaining('has no groups'));
    expect(lines('Atlassian')).toEqual([
      expect.stringContaining('lets no groups be renamed'),
      expect.stringContaining('the policy Delete is carried out as Deactivate'),
    ]);
  });
});

describe('attributes of a profile', () => {
  it.each<[ScimProfileName, 'User' | 'Team', string, ReturnType<typeof toBehaviour>]>([
    ['Standard', 'User', 'title', { writes: 'always', shows: 'exactly' }],
    ['GitHubEnterprise', 'User', 'userName', { writes: 'always', shows: 'otherwise' }],
    ['GitLab', 'User', 'name.formatted', { writes: 'onCreate', shows: 'exactly' }],
    ['Sentry', 'User', 'displayName', { writes: 'never', shows: 'never' }],
    ['Sentry', 'Team', 'displayName', { writes: 'always', shows: 'otherwise' }],
    ['AWSIdentityCenter', 'User', 'ims[type eq "xmpp"].value', { writes: 'never', shows: 'never' }],
    [
      'Zoom',
      'User',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
      { writes: 'always', shows: 'exactly' },
    ],
  ])('%s: %s %s', (profile, kind, path, behaviour) => {
    expect(toBehaviour(PROFILES[profile], kind, path)).toEqual(behaviour);
  });
});

describe('values that an application is known to refuse', () => {
  it.each<[ScimProfileName, string, string, string | null]>([
    ['Slack', 'displayName', 'ada@corp', 'displayName has the character "@", which the target refuses'],
    ['Slack', 'title', 'ada@corp', null],
    ['Slack', 'userName', 'a'.repeat(21), 'userName has 21 characters; the target takes 20'],
    ['AWSIdentityCenter', 'title', '50 %', 'title has the character "%", which the target refuses'],
    ['Standard', 'displayName', 'ada@corp', null],
  ])('T10 %s: %s %j: %s', (profile, path, value, message) => {
    const check = (): void => assertValues(PROFILES[profile], { [path]: value });
    if (message === null) expect(check).not.toThrow();
    else expect(check).toThrow(message);
  });
});
