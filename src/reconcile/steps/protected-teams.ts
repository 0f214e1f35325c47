/** Teams of `guards.protectedTeams`, and which names of that list no team has. */
import type { ResolvedGuards } from '../../api/defaults.ts';
import type { TeamState } from '../../state/staging.ts';
import { toTeamKey } from '../../team-key.ts';
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

  has(displayName: string): boolean {
    return this.#keys.has(toTeamKey(displayName));
  }

  /** Members that the team keeps; null for one that is not protected. Under its old name and the new one. */
  keeps({ desired, link }: Pick<TeamState, 'desired' | 'link'>): number | null {
    const names = [desired?.displayName, link?.displayName].filter((name) => name !== undefined).map(toTeamKey);
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
