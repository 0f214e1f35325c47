/** Ways round that were begun: remembered from before their first request until no account has a temporary value. */
import { endDetour, findTemporary, type OwnValues } from '../../plan/detour.ts';
import type { Planned } from '../../plan/draft.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import type { PersonState } from '../../state/staging.ts';
import { getFact, putFact } from '../facts.ts';
import type { RunDependencies } from '../run.ts';

type State = Pick<RunDependencies['state'], 'facts'>;

/** @param begun by source id */
export async function rememberDetours({ facts }: State, begun: ReadonlyMap<string, OwnValues>): Promise<void> {
  if (begun.size === 0) return;
  await putFact(facts, 'detours', { ...(await getFact(facts, 'detours')), ...Object.fromEntries(begun) });
}

/** Those of earlier runs, while a plan is made. */
export class Detours {
  readonly #open: Map<string, OwnValues>;
  #ended = 0;

  private constructor(open: Map<string, OwnValues>) {
    this.#open = open;
  }

  static async read({ facts }: State): Promise<Detours> {
    return new Detours(new Map(Object.entries((await getFact(facts, 'detours')) ?? {})));
  }

  /** What is planned for the person, and for who has left the end of the way round. */
  end(person: PersonState, planned: Planned, settings: PlanSettings): Planned {
    const own = this.#open.get(person.sourceId);
    if (own === undefined) return planned;
    if (findTemporary(person, own).length > 0) return endDetour(person, planned, { own, settings });
    this.#open.delete(person.sourceId);
    this.#ended += 1;
    return planned;
  }

  async flush({ facts }: State): Promise<void> {
    if (this.#ended === 0) return;
    await putFact(facts, 'detours', this.#open.size === 0 ? null : Object.fromEntries(this.#open));
  }
}
