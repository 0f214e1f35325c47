import { describe, expect, it } from 'vitest';
import type { ScimProfileName } from '../../../src/api/providers.ts';
import { compareWithProfile, findClosest, NOTHING_SEEN, type Sight } from '../../../src/targets/scim/fit.ts';
import { scimTarget } from '../../../src/targets/scim/index.ts';
import { PROFILES } from '../../../src/targets/scim/profiles.ts';
import type { ProbeFinding } from '../../../src/targets/target.ts';
import { aPerson, createDialectCompany } from '../../support/dialect-company.ts';
import { APPLICATIONS, type Dialect, QUIRKS } from '../../support/dialects/dialect.ts';
import { createDialectServer, type DialectServer } from '../../support/dialects/server.ts';
import { toTransport } from '../../support/dialects/transport.ts';
import { aClient, NEVER } from '../../support/scim-wire.ts';

/** Everything that the differences are told from. */
const SEEN: Sight = {
  patch: true,
  filter: true,
  index: true,
  refusesIndex: false,
  cursor: false,
  announcesCursor: false,
  groups: true,
  members: true,
  projection: true,
  searches: { User: { userName: true, externalId: true }, Group: { displayName: true } },
};

describe('what was seen against a profile', () => {
  const compare = (profile: ScimProfileName, sight: Partial<Sight>, teams = true): string[] =>
    compareWithProfile({ ...SEEN, ...sight }, PROFILES[profile], { teams }).map(
      (each) => `${each.verdict}: ${each.message}`,
    );

  it('of which nothing was seen nothing is said', () => {
    for (const profile of Object.values(PROFILES))
      expect(compareWithProfile(NOTHING_SEEN, profile, { teams: true })).toEqual([]);
  });

  it.each<[ScimProfileName, Partial<Sight>, RegExp]>([
    ['MicrosoftStyle', { patch: false }, /^error: PATCH is not announced, and/],
    ['Slack', { patch: false }, /^warning: PATCH is not announced: where it is refused/],
    ['Standard', { index: false, refusesIndex: true }, /^error: startIndex is refused/],
    ['GitLab', { index: false }, /^warning: paging by index is not announced/],
    ['AWSIdentityCenter', { cursor: false }, /^error: lists are not paged by cursor/],
    ['Standard', { groups: false }, /^error: there are no groups/],
    ['Zoom', { groups: true }, /^ok: there are groups/],
    ['Standard', { members: false }, /^warning: members of groups are not shown/],
    [
      'MicrosoftEntra',
      { searches: { User: { 'groups.value': false }, Group: {} } },
      /^error: users are not found by groups/,
    ],
    ['Standard', { projection: false }, /^warning: excludedAttributes is refused/],
    ['Slack', { filter: false }, /^warning: filters are not announced/],
    [
      'Atlassian',
      { searches: { User: { externalId: false }, Group: {} } },
      /^warning: a search for users by externalId is refused/,
    ],
    [
      'Slack',
      { searches: { User: { externalId: true }, Group: {} } },
      /^ok: a search for users by externalId is taken/,
    ],
    ['Slack', { searches: { User: { email: false }, Group: {} } }, /^warning: a search for users by email is refused/],
  ])('%s and %j: %s', (profile, sight, message) => {
    expect(compare(profile, sight)).toContainEqual(expect.stringMatching(message));
  });

  it('what keeps nothing from working is no error: groups that nobody wants', () => {
    expect(compare('Standard', { groups: false }, false)).toEqual([expect.stringMatching(/^ok: /)]);
    expect(compare('Standard', { index: false, announcesCursor: true, cursor: true })).toEqual([]);
  });

  it('the closest are those that differ least', () => {
    expect(findClosest(NOTHING_SEEN)).toMatchObject({ fits: true });
    expect(
      findClosest({
        ...SEEN,
        projection: false,
        members: false,
        index: false,
        refusesIndex: true,
        cursor: true,
        searches: { User: { id: false }, Group: {} },
      }).names,
    ).toEqual(['AWSIdentityCenter']);
  });
});

describe('what an application shows', () => {
  interface Probed {
    readonly lines: readonly string[];
    readonly server: DialectServer;
  }

  const NAMES = ['userName', 'externalId'];

  /** One team with one member, and two people. */
  async function probe(dialect: Dialect, profile: ScimProfileName, teams = dialect.groups !== 'none'): Promise<Probed> {
    const server = createDialectServer(dialect);
    for (const count of [1, 2]) {
      const name = { givenName: 'Given', familyName: 'Family' };
      const emails = [{ type: 'work', value: `user${count}@corp.example`, primary: true }];
      server.users.set(`u${count}`, {
        id: `u${count}`,
        userName: `user${count}`,
        externalId: `p${count}`,
        name,
        emails,
      });
    }
    if (dialect.groups !== 'none') {
      server.groups.set('g1', { id: 'g1', displayName: 'team' });
      server.members.set('g1', new Set(['u1']));
    }
    const http = aClient(toTransport(server));
    const config = { url: 'https://app.example.com/scim/v2', credentialsRef: { name: 'a' }, profile };
    const target = await scimTarget.connect(config, { secrets: { token: 'right' }, http });
    const findings: ProbeFinding[] = [];
    for await (const each of target.probe({ matching: NAMES, teams, nobody: 'dirsync-check-nobody' }, NEVER))
      findings.push(each);
    expect(server.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    const told = findings.filter(
      ({ about, verdict }) => about === 'profile' || about === 'errors' || verdict === 'error',
    );
    return { server, lines: told.map(({ verdict, about, message }) => `${verdict} ${about}: ${message}`) };
  }

  const FITS = [
    'ok errors: are SCIM errors',
    expect.stringMatching(/^ok profile: .*nothing that was seen speaks against it$/),
  ];

  it.each(Object.keys(APPLICATIONS) as (keyof typeof APPLICATIONS)[])('%s agrees with its profile', async (name) => {
    const { lines } = await probe(APPLICATIONS[name], name);
    expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([]);
  });

  it('a plain application agrees with Standard', async () => {
    expect((await probe(QUIRKS.plain, 'Standard')).lines).toEqual(FITS);
  });

  it('AWSIdentityCenter under the profile Standard: nobody can be listed, and the one that fits is named', async () => {
    expect((await probe(APPLICATIONS.AWSIdentityCenter, 'Standard')).lines).toEqual([
      'ok errors: are SCIM errors',
      'error profile: startIndex is refused, which the profile pages by: nobody can be listed',
      'warning profile: members of groups are not shown, so that changes of them by hand go unnoticed',
      'warning profile: excludedAttributes is refused: a team is searched in the whole list',
      'warning profile: Standard; the address is not one that tells which fits, but nothing that was seen speaks against AWSIdentityCenter',
    ]);
  });

  it('Slack under the profile of AWSIdentityCenter', async () => {
    const { lines } = await probe(APPLICATIONS.Slack, 'AWSIdentityCenter');
    expect(lines).toContainEqual(expect.stringMatching(/^error profile: lists are not paged by cursor/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^warning profile: a search for users by externalId is refused/),
    );
    expect(lines.at(-1)).toMatch(/, but nothing that was seen speaks against Standard or Slack$/);
  });

  it('an application without groups, where teams are wanted', async () => {
    const { lines } = await probe({ ...QUIRKS.plain, groups: 'none' }, 'Standard', true);
    expect(lines).toContain('error profile: there are no groups: TeamRules cannot be carried out');
  });
});

describe('a first run', () => {
  const run = async (profile: ScimProfileName, config: Dialect['config']) => {
    const dialect: Dialect = { ...QUIRKS.plain, config };
    const made = await createDialectCompany(dialect, profile, [
      { target: 'userName', source: 'login', matching: { precedence: 1 } },
    ]);
    made.company.people = [aPerson(1)];
    return { ...made, report: await made.company.run() };
  };

  it('stops before its first write where the application speaks against what is written', async () => {
    const { report, company, server } = await run('MicrosoftStyle', { patch: { supported: false } });
    expect(report).toMatchObject({ reason: 'Invalid', failedStep: 'observe' });
    expect(server.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    company.spec = {
      ...company.spec,
      target: {
        scim: {
          ...company.spec.target.scim,
          url: 'https://app.example.com/scim',
          credentialsRef: { name: 'app' },
          profile: 'Standard',
        },
      },
    };
    expect((await company.run()).outcome).toBe('synced');
  });

  it('goes on with a warning where it goes otherwise', async () => {
    const { report } = await run('Slack', { patch: { supported: true }, filter: { supported: false } });
    expect(report.outcome).toBe('synced');
    expect(report.warnings).toContainEqual({
      reason: 'ProfileContradicted',
      message:
        'the profile does not fit the target: filters are not announced, which the profile searches by; see dirsync check target',
    });
  });
});
