/** What approval of a held set lets go, as the checkers count it. */
import type { StoredOperation } from '../../src/state/store.ts';
import { CUSTOM_PATHS } from './features.ts';
import type { Removal } from './invariants/removals.ts';
import { DEPARTMENT, MANAGER } from './model.ts';

/** What guards count, by the kind of operation. */
const COUNTED = ['deactivate', 'delete', 'adopt', 'reactivate', 'rename'] as const;
const ATTRIBUTES = {
  title: 'title',
  [DEPARTMENT]: 'department',
  [`${MANAGER}.value`]: 'manager',
  [CUSTOM_PATHS.tier]: 'tier',
  [CUSTOM_PATHS.grade]: 'grade',
} as const;

export function toRemovals({ kind, resource, id, targetId, member, changes }: StoredOperation): Removal[] {
  const account = member?.targetId ?? targetId;
  if (account === null) return [];
  if (kind === 'removeMembers') return [{ kind, scope: targetId ?? id, id: account }];
  if (resource === 'Team') return kind === 'delete' ? [{ kind: 'deleteTeams', scope: '', id: account }] : [];
  if (kind === 'update')
    return Object.entries(ATTRIBUTES).flatMap(([path, scope]) =>
      changes.some((change) => change.path === path) ? [{ kind, scope, id: account }] : [],
    );
  const counted = COUNTED.find((each) => each === kind);
  return counted === undefined ? [] : [{ kind: counted, scope: '', id: account }];
}
