/** Source ids in changes of references → the accounts that they stand for. */
import type { AttributeChange } from '../../model.ts';
import type { Link, Links } from '../../state/store.ts';
import type { RunDependencies } from '../run.ts';

/**
 * Changes whose reference names nobody with an account are left out: they stay owed, and the next run plans them again.
 * @param isKnown whether the account of a link may be written
 */
export async function resolveReferences(
  changes: readonly AttributeChange[],
  links: Pick<Links, 'many'>,
  isKnown: (link: Link) => boolean,
): Promise<readonly AttributeChange[]> {
  const wanted = changes.filter((change) => change.reference === true).map((change) => String(change.after));
  if (wanted.length === 0) return changes;
  const found = await links.many(wanted);
  return changes.flatMap((change): AttributeChange[] => {
    if (change.reference !== true) return [change];
    const link = found.get(String(change.after));
    const { reference: _settled, ...rest } = change;
    return link === undefined || !isKnown(link) ? [] : [{ ...rest, after: link.targetId }];
  });
}

/**
 * What refers to nobody but those who get no account in this run leaves the stored plan: it cannot be carried out, and
 * held it would be approved again and again.
 */
export async function withdrawDebts(
  { state, runId }: Pick<RunDependencies, 'state' | 'runId'>,
  withoutAccount: ReadonlySet<string>,
): Promise<void> {
  if (withoutAccount.size === 0) return;
  const units: string[] = [];
  for await (const page of state.journal.operations(runId, { phase: 'references' })) {
    for (const { unit, changes } of page)
      if (changes.every(({ after }) => withoutAccount.has(String(after)))) units.push(unit);
  }
  await state.journal.withdraw(runId, units);
}
