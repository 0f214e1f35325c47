/** What calls for a team: TeamRules, or a group of the source. */
import type { DesiredTeam } from '../model.ts';
import { toGroupId } from '../team-key.ts';

/** What calls for a team, and what it is called where its end is told. */
export interface TeamOrigin {
  readonly cause: 'rule' | 'group';
  readonly text: string;
  readonly end: { readonly cause: 'ruleDeleted' | 'groupDeleted'; readonly reason: string };
}

export function toOrigin({ key, rules }: Pick<DesiredTeam, 'key' | 'rules'>): TeamOrigin {
  const group = toGroupId(key);
  if (group !== null) {
    const end = { cause: 'groupDeleted', reason: 'the group is gone from the source' } as const;
    return { cause: 'group', text: `group ${group}`, end };
  }
  const text = `${rules.length === 1 ? 'rule' : 'rules'} ${rules.join(', ')}`;
  return { cause: 'rule', text, end: { cause: 'ruleDeleted', reason: 'the rule was deleted' } };
}
