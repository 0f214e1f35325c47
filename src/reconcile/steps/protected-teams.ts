/** Teams of `guards.protectedTeams`, and which names of that list no team has. */
import type { ResolvedGuards } from '../../api/defaults.ts';
import { withoutSuffix } from '../../mapping/groups.ts';
import type { TeamState } from '../../state/staging.ts';
import { toGroupId, toTeamKey } from '../../team-key.ts';
import type { Warning } from '../run.ts';

export class ProtectedTeams {
  readonly #keepAtLeast: number;
  readonly #keys: ReadonlySet<string>;
  readonly #unseen: Set<string>;

  constructor({ protectedTeams, keepAtLeast }: Pick<ResolvedGuards, 'protectedTeams' | 'keepAtLeast'>) {
    this.#keepAtLeast = keepAtLeast;
    this.#keys = new Set(protectedTeams.map(toTeamKey));
    this.#unseen = new Set(this.#keys);
  }

  /**
   * Members that the team keeps; null for one that is not protected. Under its old name and the new one; the team of a
   * group under the name of the group too: of several with one name nobody chose which of them has it.
   */
  keeps({ key, desired, link }: Pick<TeamState, 'key' | 'desired' | 'link'>): number | null {
    const group = toGroupId(key);
    const names = [desired?.displayName, link?.displayName]
      .filter((name) => name !== undefined)
      .flatMap((name) => (group === null ? [name] : [name, withoutSuffix(name, group)]))
      .map(toTeamKey);
    for (const key of names) this.#unseen.delete(key);
    return names.some((key) => this.#keys.has(key)) ? this.#keepAtLeast : null;
  }

  /** Once every team was asked for. */
  warnings(): readonly Warning[] {
    if (this.#unseen.size === 0) return [];
    const message = 'names of guards.protectedTeams that no team has';
    return [{ reason: 'UnresolvedProtectedTeam', message, count: this.#unseen.size }];
  }
}
