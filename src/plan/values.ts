/** What the plans of people have in common. Pure. */
import type { AttributeChange, Attributes, DesiredUser, RecordError } from '../model.ts';
import type { DirectoryKey, Effect, Link } from '../state/store.ts';
import { toChangeGuards } from './changes.ts';
import { isSameValue } from './diff.ts';
import { type DraftOperation, NOTHING, type Planned, toDraft } from './draft.ts';
import type { PlanSettings } from './settings.ts';

/** One value that several people have at a path that nobody may share. */
export interface Collision {
  readonly path: string;
  /** This person's among them. */
  readonly sourceIds: readonly string[];
}

/** What the plan knows of others when it plans one person. */
export interface PersonContext {
  readonly settings: PlanSettings;
  /** Target ids of the people that `references` name, by source id; missing: no account yet. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Source ids among `references` for whom this plan makes an account. */
  readonly coming: ReadonlySet<string>;
  /** Who has the same matching value; null for almost everybody. */
  readonly collidesWith: Collision | null;
  /** Accounts that more than one person without an account matches, by whatever attributes: target id → source ids. */
  readonly rivals: ReadonlyMap<string, readonly string[]>;
  /** Linked accounts that are not there any more, by target id: who refers to one refers to nobody. */
  readonly gone: ReadonlySet<string>;
  /** The deletion of the account failed before: while it is on, it is switched off first. */
  readonly deletionFailed: boolean;
}

export function failPerson(desired: DesiredUser, message: string, code: RecordError['code'] = 'Conflict'): Planned {
  return { ...NOTHING, errors: [{ resource: 'User', id: desired.sourceId, code, message }] };
}

/** As messages name another DirectorySync: by its id, which is its name unless `spec.id` says otherwise. */
export function toOwner({ namespace, id }: DirectoryKey): string {
  return `the DirectorySync ${namespace}/${id}`;
}

/** An account that does not exist is a member of nothing. */
export function forget({ targetId }: Link): readonly Effect[] {
  return [{ type: 'dropMember', targetId }];
}

/** A default that was written on creation is not cleared by the next run, whose value is as empty. */
export function toClear(
  desired: Pick<DesiredUser, 'clear' | 'defaults'>,
  current: Attributes,
  shapes: PlanSettings['shapes'],
): readonly string[] {
  return desired.clear.filter(
    (path) =>
      desired.defaults[path] === undefined ||
      !isSameValue(current[path], desired.defaults[path], shapes.get(path)?.caseExact ?? true),
  );
}

export interface References {
  /** Path → target id. */
  readonly known: Readonly<Record<string, string>>;
  /** For the second pass: path → source id of somebody for whom this plan makes an account. */
  readonly coming: readonly AttributeChange[];
}

/** Whom nobody answers to is kept as debt: nothing is written, and the next run looks again. */
export function toReferences(desired: DesiredUser, { accounts, coming, settings }: PersonContext): References {
  const known: Record<string, string> = {};
  const later: AttributeChange[] = [];
  for (const [path, sourceId] of Object.entries(desired.references)) {
    const targetId = accounts.get(sourceId);
    if (targetId !== undefined) known[path] = targetId;
    else if (coming.has(sourceId) && settings.target.attribute('User', path).writes === 'always')
      later.push({ path, after: sourceId, reference: true });
  }
  return { known, coming: later };
}

export function toReferenceUpdate(
  desired: DesiredUser,
  { targetId, settings }: { readonly targetId: string | null; readonly settings: PlanSettings },
  changes: readonly AttributeChange[],
): readonly DraftOperation[] {
  if (changes.length === 0) return [];
  return [
    toDraft({
      phase: 'references',
      kind: 'update',
      resource: 'User',
      id: desired.sourceId,
      targetId,
      name: desired.name,
      changes,
      cause: 'mapping',
      reason: 'refers to somebody who is new',
      unit: `person:${desired.sourceId}:references`,
      guards: toChangeGuards(changes, settings),
    }),
  ];
}
