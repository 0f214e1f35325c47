import { describe, expect, it } from 'vitest';
import type { AttributeMappingResource } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../../src/api/custom-attribute.ts';
import { withDefaults } from '../../src/api/defaults.ts';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { parseResource } from '../../src/api/validate.ts';
import { aDocument } from './rule-cases.ts';

function aSync(spec: Record<string, unknown> = {}): DirectorySyncResource {
  return parseResource(aDocument('DirectorySync', spec)).resource as DirectorySyncResource;
}

describe('withDefaults', () => {
  it('fills every field of a DirectorySync', () => {
    expect(withDefaults(aSync())).toEqual({
      id: 'sample',
      suspend: false,
      mode: 'Apply',
      schedule: { kind: 'Interval', everyMs: 2_400_000 },
      settleMs: 5000,
      source: {
        provider: 'file',
        config: {
          users: { path: 'people.csv' },
          membersAttribute: 'members',
          duplicateIds: 'Error',
          allowHTTP: false,
          idAttribute: 'id',
        },
      },
      scope: { users: 'All', groups: [], filters: [], nestedGroups: 'Flatten' },
      groups: { provision: 'None', include: [], exclude: [], deletedAtSource: 'Empty' },
      mappings: [{ name: 'users' }],
      target: {
        provider: 'scim',
        config: {
          url: 'https://app.example.com/scim/v2',
          credentialsRef: { name: 'app' },
          profile: 'Standard',
          allowHTTP: false,
        },
      },
      adoption: 'OnMatch',
      adoptTeams: false,
      deprovisioning: {
        outOfScope: 'Deactivate',
        disabledAtSource: 'Deactivate',
        deletedAtSource: 'Deactivate',
        memberships: 'Remove',
        deleteAfterMs: null,
        restoreMemberships: true,
      },
      guards: {
        deactivate: { max: null, percent: 10 },
        delete: { max: null, percent: 5 },
        adopt: { max: null, percent: 10 },
        reactivate: { max: null, percent: 10 },
        rename: { max: null, percent: 10 },
        removeMembers: { max: null, percent: 50 },
        deleteTeams: { max: null, percent: 10 },
        update: null,
        floor: 5,
        windowMs: 86_400_000,
        protectedUsers: [],
        protectedTeams: [],
        keepAtLeast: 0,
        suspiciousDrop: 30,
        maxFailures: 20,
      },
      drift: { policy: 'Repair', verifyEveryMs: 86_400_000 },
      limits: { concurrency: 8, requestsPerSecond: null, sourceRequestsPerSecond: null },
      timeouts: { requestMs: 30_000, runMs: 43_200_000 },
      deletionPolicy: 'Retain',
      historyLimit: 10,
    });
  });

  it.each([
    [{ interval: '1h' }, { kind: 'Interval', everyMs: 3_600_000 }],
    [{ cron: { expression: '0 6 * * 1' } }, { kind: 'Cron', expression: '0 6 * * 1', timeZone: 'UTC' }],
    [{ once: true }, { kind: 'Once' }],
  ])('reads the schedule %j', (schedule, expected) => {
    expect(withDefaults(aSync({ schedule })).schedule).toEqual(expected);
  });

  it('lets each key of a guard default by itself', () => {
    const { guards } = withDefaults(aSync({ guards: { deactivate: { max: 50 }, delete: { percent: 100, max: 0 } } }));
    expect(guards.deactivate).toEqual({ max: 50, percent: 10 });
    expect(guards.delete).toEqual({ max: 0, percent: 100 });
    expect(guards.floor).toBe(5);
  });

  it('keeps what is written, and changes nothing of it', () => {
    const resource = aSync({ id: 'old', drift: { verifyEvery: '0' }, limits: { requestsPerSecond: 2.5 } });
    const before = structuredClone(resource);
    const { id, drift, limits } = withDefaults(resource);
    expect({ id, drift, limits }).toEqual({
      id: 'old',
      drift: { policy: 'Repair', verifyEveryMs: 0 },
      limits: { concurrency: 8, requestsPerSecond: 2.5, sourceRequestsPerSecond: null },
    });
    expect(resource).toEqual(before);
  });

  it('leaves onEmpty of an entry open, for the CustomAttribute may say it', () => {
    const mapping = parseResource(aDocument('AttributeMapping')).resource as AttributeMappingResource;
    expect(withDefaults(mapping)).toEqual({
      resource: 'User',
      attributes: [
        {
          target: 'userName',
          source: 'userPrincipalName',
          matching: { precedence: 1 },
          apply: 'Always',
          required: false,
        },
      ],
    });
  });

  it('tells the two kinds of TeamRule apart', () => {
    const rest = {
      directorySyncRef: { name: 'sample' },
      include: [],
      exclude: [],
      whenEmpty: 'Retain',
      deletionPolicy: 'Retain',
      suspend: false,
    };
    const one = parseResource(aDocument('TeamRule')).resource as TeamRuleResource;
    const match = [{ attribute: 'department', operator: 'Equals', value: 'Finance' }];
    const shared = {
      kind: 'OneTeam',
      displayName: 'Finance',
      externalId: null,
      description: null,
      match: null,
      rule: null,
      cel: null,
    };
    expect(withDefaults(one)).toEqual({ ...rest, teams: { ...shared, match, pointer: '/spec/match' } });
    const { directorySyncRef, team } = one.spec;
    const withRule = { ...one, spec: { directorySyncRef, ...(team === undefined ? {} : { team }), rule: 'x' } };
    expect(withDefaults(withRule)).toEqual({ ...rest, teams: { ...shared, rule: 'x', pointer: '/spec/rule' } });
    const many = { ...one, spec: { directorySyncRef: { name: 'sample' }, teamsFrom: { attributes: ['teams'] } } };
    const teams = { kind: 'TeamsFrom', attributes: ['teams'], expressions: [], separator: ';', prefix: '' };
    expect(withDefaults(many)).toEqual({ ...rest, teams });
  });

  it('names a CustomAttribute after its resource', () => {
    const attribute = parseResource(aDocument('CustomAttribute', {}, 'license-tier'))
      .resource as CustomAttributeResource;
    expect(withDefaults(attribute)).toEqual({
      name: 'license_tier',
      directorySyncs: 'All',
      type: 'String',
      references: null,
      multiValued: false,
      caseExact: false,
      separator: null,
      onEmpty: 'Keep',
      canonicalValues: [],
      required: false,
      path: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:licenseTier',
    });
  });
});
