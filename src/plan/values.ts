/** What the plans of people have in common. Pure. */
import type { Attributes, DesiredUser, RecordError } from '../model.ts';
import type { DirectoryKey, Effect, Link } from '../state/store.ts';
import { isSameValue } from './diff.ts';
import { NOTHING, type Planned } from './draft.ts';
import { type ReferenceContext, type Referring, type ResolvedReferences, resolveReferences } from './references.ts';
import type { PlanSettings } from './settings.ts';

/** One value that several people have at a path that nobody may share. */
export interface Collision {
  readonly path: string;
  /** This person's among them. */
  readonly sourceIds: readonly string[];
}

/** What the plan knows of others when it plans one person. */
export interface PersonContext extends ReferenceContext {
  readonly settings: PlanSettings;
  /** Who has the same matching value; null for almost everybody. */
  readonly collidesWith: Collision | null;
  /** Accounts that more than one person without an account matches, by whatever attributes: target id → source ids. */
  readonly rivals: ReadonlyMap<string, readonly string[]>;
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

/** @param held what the account has */
export function toReferences(
  { references }: DesiredUser,
  context: PersonContext,
  held: Attributes,
): ResolvedReferences {
  const { settings } = context;
  return resolveReferences(references, context, { settings, shapes: settings.shapes, resource: 'User', held });
}

export function toReferring({ sourceId, name }: DesiredUser, targetId: string | null): Referring {
  return { resource: 'User', id: sourceId, targetId, name };
}
