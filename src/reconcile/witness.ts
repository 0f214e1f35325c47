/**
 * One person on their way through a run, kept for whoever asks why they were (not) synced. The steps show what they made
 * of everybody; what is kept is what they made of those who answer to the name that was asked for.
 */
import { toAliases } from '../mapping/aliases.ts';
import type { MappedPerson, PersonMapper, PersonTrace } from '../mapping/person.ts';
import { type RuleTrace, type TeamMapper, toAccountNames } from '../mapping/teams.ts';
import type { DesiredUser, GroupName } from '../model.ts';
import type { PersonState, StagedUser, TeamState } from '../state/staging.ts';
import { toGroupKey } from '../team-key.ts';

/** What each step of a run had to say of one person; null where the person did not get so far. */
export interface Testimony {
  readonly sourceId: string;
  /** The source record; null: the read has none, or could not read it. */
  record: StagedUser | null;
  /** What mappings and scope made of it; null for a record that may not be used. */
  mapped: PersonTrace | null;
  /** Of people who are present. */
  rules: readonly RuleTrace[] | null;
  /** Groups of the source that they belong to, where groups were read. */
  groups: readonly GroupName[] | null;
  /** What the plan was made from: link, account, candidates. */
  state: PersonState | null;
  /** A removal or rename was left out because the person is protected, or because the target is called with the account. */
  spared: boolean;
  /** The teams that rules and groups give them. */
  readonly teams: Map<string, TeamState>;
}

export interface Witness {
  /** How many records were shown. */
  records(): number;
  /** People who answer to the name, in the order of the read; whoever has it as source id is alone. At most 10. */
  testimonies(): readonly Testimony[];
  sawRecord(staged: StagedUser, mapped: MappedPerson, by: RecordMappers): void;
  sawState(person: PersonState, end: { readonly isSpared: boolean }): void;
  sawTeam(team: TeamState): void;
}

export interface RecordMappers {
  readonly people: PersonMapper;
  readonly teams: TeamMapper;
  readonly now: Date;
}

const MOST = 10;

/** @param asked source id, userName or mail address; the latter two without case */
export function createWitness(asked: string): Witness {
  const found = new Map<string, Testimony>();
  let records = 0;
  const wanted = asked.trim().toLowerCase();
  const isMeant = (sourceId: string, names: () => readonly string[]): boolean =>
    found.has(sourceId) ||
    sourceId === asked ||
    (found.size < MOST && names().some((name) => name.toLowerCase() === wanted));
  const get = (sourceId: string): Testimony => {
    const known = found.get(sourceId);
    if (known !== undefined) return known;
    const fresh = toTestimony(sourceId);
    found.set(sourceId, fresh);
    return fresh;
  };
  return {
    records: () => records,
    testimonies: () => {
      const exact = found.get(asked);
      return exact === undefined ? [...found.values()] : [exact];
    },
    sawRecord: (staged, mapped, { people, teams, now }) => {
      records += 1;
      const { user, duplicate } = staged;
      const { desired } = mapped;
      if (!isMeant(user.id, () => [...toAccountNames(desired), ...toAliases(user)])) return;
      const testimony = get(user.id);
      testimony.record = staged;
      if (duplicate) return;
      testimony.mapped = people.trace(user, now);
      testimony.groups = user.groups ?? null;
      if (desired.presence === 'present') testimony.rules = teams.trace(desired, mapped.view, now);
    },
    sawState: (person, { isSpared }) => {
      if (!isMeant(person.sourceId, () => toKnownNames(person))) return;
      Object.assign(get(person.sourceId), { state: person, spared: isSpared });
    },
    sawTeam: (team) => {
      for (const testimony of found.values()) {
        if (toTeamKeys(testimony).includes(team.key)) testimony.teams.set(team.key, team);
      }
    },
  };
}

function toTestimony(sourceId: string): Testimony {
  const nothing = { record: null, mapped: null, rules: null, groups: null, state: null };
  return { sourceId, ...nothing, spared: false, teams: new Map() };
}

/** By which somebody is still known who is gone from the source. */
function toKnownNames({ sourceId, desired, link }: PersonState): readonly string[] {
  if (link === null) return [];
  const asApplied: DesiredUser['attributes'] = { ...link.applied, ...desired?.attributes };
  return [link.name, ...toAccountNames({ sourceId, attributes: asApplied, onCreate: {} })];
}

function toTeamKeys({ rules, groups }: Testimony): readonly string[] {
  const ofRules = (rules ?? []).flatMap(({ teams }) => teams.map(({ key }) => key));
  return [...ofRules, ...(groups ?? []).map(({ id }) => toGroupKey(id))];
}
