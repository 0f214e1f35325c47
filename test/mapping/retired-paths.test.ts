import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeResource, CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import { compileMapping } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import { type AttributeMemory, computeRetired } from '../../src/mapping/retired-paths.ts';
import { aCustomAttribute, aMapping, BASE_ENTRIES } from '../support/builders.ts';

const EXTENSION = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:tier';

interface Case {
  readonly because: string;
  /** Path that `tier` was written to before; absent: nothing is remembered. */
  readonly before?: string;
  readonly wasPredefined?: true;
  readonly customs?: readonly CustomAttributeResource[];
  readonly entries?: readonly AttributeEntry[];
  readonly kept?: readonly string[];
  readonly retired: readonly string[];
}

const TIER: AttributeEntry = { target: 'tier', source: 'title' };

const tier = (spec: Partial<CustomAttributeSpec>): CustomAttributeResource => aCustomAttribute('tier', spec);

function leaving(resource: CustomAttributeResource): CustomAttributeResource {
  return { ...resource, metadata: { ...resource.metadata, deletionTimestamp: '2026-03-01T10:00:00Z' } };
}

const CASES: readonly Case[] = [
  { because: 'it is as it was', before: EXTENSION, customs: [tier({ path: EXTENSION })], entries: [TIER], retired: [] },
  { because: 'the document is gone', before: EXTENSION, retired: [EXTENSION] },
  { because: 'it was never written', customs: [tier({ path: EXTENSION })], entries: [TIER], retired: [] },
  {
    because: 'it lives somewhere else now',
    before: 'nickName',
    customs: [tier({ path: EXTENSION })],
    entries: [TIER],
    retired: ['nickName'],
  },
  {
    because: 'it is under deletion',
    before: EXTENSION,
    customs: [leaving(tier({ path: EXTENSION }))],
    entries: [TIER],
    retired: [EXTENSION],
  },
  {
    because: 'it is under deletion, and nothing was remembered',
    customs: [leaving(tier({ path: EXTENSION }))],
    retired: [EXTENSION],
  },
  {
    because: 'it was moved and deleted at once',
    before: 'nickName',
    customs: [leaving(tier({ path: EXTENSION }))],
    retired: ['nickName', EXTENSION],
  },
  {
    because: 'an entry by the path of an extension means the attribute that goes',
    customs: [leaving(tier({ path: EXTENSION }))],
    entries: [{ target: EXTENSION, source: 'title' }],
    retired: [EXTENSION],
  },
  {
    because: 'a core path is written by an entry of its own',
    customs: [leaving(tier({ path: 'nickName' }))],
    entries: [{ target: 'nickName', source: 'title' }],
    retired: [],
  },
  {
    because: 'another resource has its path and name',
    customs: [leaving(tier({ path: EXTENSION })), aCustomAttribute('heir', { name: 'tier', path: EXTENSION })],
    entries: [TIER],
    retired: [],
  },
  {
    because: 'another resource has its name, at another path',
    customs: [leaving(tier({ path: EXTENSION })), aCustomAttribute('heir', { name: 'tier', path: 'nickName' })],
    entries: [TIER],
    retired: [EXTENSION],
  },
  {
    because: 'it does not apply here any more',
    before: EXTENSION,
    customs: [tier({ path: EXTENSION, directorySyncs: { names: ['other'] } })],
    retired: [],
  },
  { because: 'its values are to stay', before: EXTENSION, kept: ['tier'], retired: [] },
  { because: 'accounts are known by it', before: 'externalId', retired: [] },
  {
    because: 'a part of it is still written',
    before: 'name',
    entries: [{ target: 'name.givenName', source: 'a' }],
    retired: [],
  },
  {
    because: 'another part is written',
    before: 'name.familyName',
    entries: [{ target: 'name.givenName', source: 'a' }],
    retired: ['name.familyName'],
  },
  {
    because: 'it took a predefined attribute and does so no more',
    before: EXTENSION,
    wasPredefined: true,
    customs: [tier({ path: EXTENSION })],
    retired: [EXTENSION],
  },
  {
    because: 'an entry gives it another value than the predefined one',
    before: EXTENSION,
    wasPredefined: true,
    customs: [tier({ path: EXTENSION })],
    entries: [TIER],
    retired: [],
  },
];

function compute({ before, wasPredefined, customs = [], entries = [], kept = [] }: Omit<Case, 'retired'>) {
  const problems: MappingProblem[] = [];
  const set = compileCustomAttributes(customs, 'acme', problems);
  const mappings = [aMapping([...BASE_ENTRIES, ...entries])];
  const mapping = compileMapping(mappings, set, { provider: 'file', hasGroups: false }, problems);
  expect(problems).toEqual([]);
  const was = { path: before ?? '', predefined: wasPredefined === true, redacted: false };
  const written: AttributeMemory['written'] = before === undefined ? {} : { tier: was };
  const memory: AttributeMemory = { written, retired: {} };
  const present = new Set(customs.map(({ metadata }) => metadata.name));
  return computeRetired({ memory, customs: set, mapping, present, kept: new Set(kept) });
}

describe('computeRetired', () => {
  it.each(CASES)('retires $retired where $because', ({ retired, ...given }) => {
    expect(Object.keys(compute(given).retired)).toEqual(retired);
  });

  it('remembers what is written from now on, and not what goes or is to stay', () => {
    const customs = [tier({ path: EXTENSION }), leaving(aCustomAttribute('old')), aCustomAttribute('own')];
    expect(compute({ because: '', customs, kept: ['own'] }).written).toEqual({
      tier: { path: EXTENSION, predefined: false, redacted: false },
    });
  });

  it('hides values that an expression has redacted', () => {
    const entries = [{ target: 'tier', expression: 'Redact([title])' }];
    const customs = [leaving(tier({ path: EXTENSION }))];
    expect(compute({ because: '', customs, entries }).retired).toEqual({
      [EXTENSION]: { resource: 'tier', redacted: true },
    });
  });
});
