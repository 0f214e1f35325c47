/** Whom references mean: names of the source → people, teams and, when a request is made, their ids in the target. */
import type { CompiledMapping } from '../../mapping/compile.ts';
import type { AttributeChange, Attributes, References, ResourceKind } from '../../model.ts';
import { isSameValue } from '../../plan/diff.ts';
import { isEnding } from '../../plan/person.ts';
import type { ReferenceContext, ReferredTeam } from '../../plan/references.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import type { TeamState } from '../../state/staging.ts';
import type { Links } from '../../state/store.ts';
import { toComparableName, toGroupKey } from '../../team-key.ts';
import type { RunDependencies } from '../run.ts';

/**
 * References to people by mail address, userName or DN → source ids, over every record of the read. What nobody answers to
 * stays as it is: it waits until somebody does. What teams are called is known when all of them are mapped.
 */
export async function nameReferred(
  { state }: RunDependencies,
  { paths }: Pick<CompiledMapping, 'paths'>,
  all: readonly References[],
): Promise<(references: References) => References> {
  const isOfPeople = (path: string): boolean => paths.get(path)?.reference === 'User';
  const names = new Set(
    all.flatMap((each) => Object.entries(each).flatMap(([path, value]) => (isOfPeople(path) ? [value].flat() : []))),
  );
  if (names.size === 0) return (references) => references;
  const people = await state.groups.people([...names]);
  const toId = (name: string): string => people.get(name) ?? name;
  return (references) =>
    Object.fromEntries(
      Object.entries(references).map(([path, value]) => {
        if (!isOfPeople(path)) return [path, value];
        return [path, typeof value === 'string' ? toId(value) : value.map(toId)];
      }),
    );
}

interface IndexInput {
  readonly settings: PlanSettings;
  readonly teamShapes: PlanSettings['shapes'];
  /** Target ids of linked accounts that are not there any more. */
  readonly gone: ReadonlySet<string>;
}

/** What plans need to know of those who are referred to, page by page. */
export class ReferenceIndex {
  readonly #run: RunDependencies;
  readonly #settings: PlanSettings;
  readonly #gone: ReadonlySet<string>;
  readonly #goneTeams = new Set<string>();
  /** By key. */
  readonly #teams = new Map<string, ReferredTeam>();
  /** Comparable name → key; null: several have it. */
  readonly #names = new Map<string, string | null>();

  /** Somebody or something may refer to others. */
  readonly isNeeded: boolean;

  /** @param gone target ids of linked accounts that are not there any more */
  private constructor(run: RunDependencies, settings: PlanSettings, gone: ReadonlySet<string>, isNeeded: boolean) {
    this.#run = run;
    this.#settings = settings;
    this.isNeeded = isNeeded;
    this.#gone = gone;
  }

  static async read(run: RunDependencies, { settings, teamShapes, gone }: IndexInput): Promise<ReferenceIndex> {
    const shapes = [settings.shapes, teamShapes];
    const isNeeded = shapes.some((each) => refersTo(each, 'User') || refersTo(each, 'Team'));
    const index = new ReferenceIndex(run, settings, gone, isNeeded);
    // Teams are kept in memory, and most mappings refer to none.
    if (!shapes.some((each) => refersTo(each, 'Team'))) return index;
    for await (const page of run.state.staging.teams()) for (const team of page) index.#add(team);
    return index;
  }

  #add({ key, desired, link, gone, desiredMembers }: TeamState): void {
    const targetId = link === null || gone ? null : link.targetId;
    if (link !== null && gone) this.#goneTeams.add(link.targetId);
    const coming = targetId === null && desired !== null && desiredMembers > 0 && this.#run.options.user === null;
    // One that nothing calls for goes, or stays as it is.
    const ending = desired === null || (desired.whenEmpty === 'Delete' && desiredMembers === 0);
    this.#teams.set(key, { key, targetId, coming, ending });
    const name = toComparableName(desired?.displayName ?? link?.displayName ?? key);
    this.#names.set(name, this.#names.has(name) ? null : key);
  }

  /** Of people and teams that refer to these. */
  async context(references: readonly References[], shapes: PlanSettings['shapes']): Promise<ReferenceContext> {
    const wanted: Record<ResourceKind, Set<string>> = { User: new Set(), Team: new Set() };
    for (const each of references)
      for (const [path, value] of Object.entries(each))
        for (const name of [value].flat()) wanted[shapes.get(path)?.reference ?? 'User'].add(name);
    const teams = new Map([...wanted.Team].flatMap((name) => this.#find(name)));
    return { ...(await this.#people([...wanted.User])), teams, gone: this.#gone, goneTeams: this.#goneTeams };
  }

  /** The id of a group goes before whatever else is called so. */
  #find(name: string): readonly (readonly [string, ReferredTeam])[] {
    const key = this.#teams.has(toGroupKey(name)) ? toGroupKey(name) : this.#names.get(toComparableName(name));
    const team = this.#teams.get(key ?? '');
    return team === undefined ? [] : [[name, team]];
  }

  async #people(wanted: readonly string[]): Promise<Pick<ReferenceContext, 'accounts' | 'coming' | 'ending'>> {
    if (wanted.length === 0) return { accounts: new Map(), coming: new Set(), ending: new Set() };
    const { links, staging } = this.#run.state;
    const all = await links.many(wanted);
    // Who gets a new account in this run is referred to by that one, in the second pass.
    const there = new Map([...all].filter(([, link]) => !this.#gone.has(link.targetId)));
    const missing = wanted.filter((id) => !there.has(id));
    const presences = await staging.presences(wanted);
    // A run about one person knows nothing of others.
    const isWhole = this.#run.options.user === null;
    const ending = [...there].filter(
      ([id, link]) => isWhole && isEnding(link, presences.get(id) ?? null, this.#settings),
    );
    return {
      accounts: new Map([...there].map(([id, link]) => [id, link.targetId])),
      coming: new Set(missing.filter((id) => presences.get(id) === 'present')),
      ending: new Set(ending.map(([id]) => id)),
    };
  }
}

export function refersTo(shapes: PlanSettings['shapes'], kind: ResourceKind): boolean {
  return [...shapes.values()].some(({ reference }) => reference === kind);
}

/**
 * Changes as they are sent. Whoever has no account, or no team, is left out: they stay owed, and the next run plans them
 * again. So is a list with somebody in doubt: what is left of it would take them out.
 * @param isKnown whether an account or team that is linked may be written
 * @param held what the account or team was last given
 */
export async function fillReferences(
  changes: readonly AttributeChange[],
  links: Pick<Links, 'many' | 'team'>,
  { isKnown, held }: { readonly isKnown: (link: { readonly dirty: boolean }) => boolean; readonly held: Attributes },
): Promise<readonly AttributeChange[]> {
  const filled: AttributeChange[] = [];
  for (const change of changes) {
    const { reference, ...rest } = change;
    if (reference === undefined) {
      filled.push(change);
      continue;
    }
    const keys = ([change.after] as readonly unknown[]).flat().map(String);
    const found = (await findLinks(keys, reference, links)).filter((link) => link !== undefined);
    if (found.length === 0 || !found.every(isKnown)) continue;
    const ids = [...new Set(found.map(({ targetId }) => targetId))];
    const after = Array.isArray(change.after) ? ids : (ids[0] as string);
    if (!isSameValue(held[change.path], after, true)) filled.push({ ...rest, after });
  }
  return filled;
}

async function findLinks(
  keys: readonly string[],
  kind: ResourceKind,
  links: Pick<Links, 'many' | 'team'>,
): Promise<readonly ({ readonly targetId: string; readonly dirty: boolean } | undefined)[]> {
  if (kind === 'Team') return await Promise.all(keys.map(async (key) => (await links.team(key)) ?? undefined));
  const people = await links.many(keys);
  return keys.map((key) => people.get(key));
}

export interface Unmade {
  /** Source ids of people who get no account in this run. */
  readonly withoutAccount: ReadonlySet<string>;
  /** Target ids of linked accounts that are not there any more. */
  readonly gone: ReadonlySet<string>;
  /** Keys of teams that this plan makes. */
  readonly made: ReadonlySet<string>;
}

/**
 * What waits for nobody but those who get no account or team in this run leaves the stored plan: it cannot be carried out,
 * and held it would be approved again and again.
 */
export async function withdrawDebts({ state, runId }: RunDependencies, unmade: Unmade): Promise<void> {
  const units: string[] = [];
  for await (const page of state.journal.operations(runId, { phase: 'references' })) {
    for (const { unit, changes } of page)
      if (changes.every(({ reference }) => reference !== undefined) && !(await isAwaited(changes, state.links, unmade)))
        units.push(unit);
  }
  if (units.length > 0) await state.journal.withdraw(runId, units);
}

/** Somebody of it is made in this run. */
async function isAwaited(
  changes: readonly AttributeChange[],
  links: Pick<Links, 'many'>,
  { withoutAccount, gone, made }: Unmade,
): Promise<boolean> {
  const keysOf = (kind: ResourceKind): readonly string[] =>
    changes.flatMap(({ reference, after }) =>
      reference === kind ? ([after] as readonly unknown[]).flat().map(String) : [],
    );
  if (keysOf('Team').some((key) => made.has(key))) return true;
  const people = keysOf('User').filter((id) => !withoutAccount.has(id));
  const linked = people.length === 0 ? new Map() : await links.many(people);
  return people.some((id) => !linked.has(id) || gone.has(linked.get(id).targetId));
}
