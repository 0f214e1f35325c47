/** A run for one person touches nobody else. */
import type { Change } from '../server.ts';
import type { Moment, Scene } from './facts.ts';

export function checkAlone(change: Change, { facts }: Moment, { server, fail }: Scene): void {
  const { name, only } = facts;
  if (only === null) return;
  const isTheirs = (id: string): boolean => server.users.get(id)?.externalId === only;
  if (change.kind === 'User') {
    const { before, after } = change;
    if (after?.externalId !== only && before?.externalId !== only)
      fail('engine', `${name}: a run for ${only} changed the account ${(after ?? before)?.id}`);
    return;
  }
  const [before, after] = [change.before?.members ?? [], change.after?.members ?? []];
  const others = [...before, ...after].filter((id) => before.includes(id) !== after.includes(id) && !isTheirs(id));
  if (others.length > 0 || change.after === null)
    fail('engine', `${name}: a run for ${only} changed the team ${(change.after ?? change.before)?.id} for others`);
}
