import { compileCel } from '../cel/compiler.ts';
import { type Condition, NO_NEEDS } from './condition.ts';

/**
 * A condition in CEL. `user` has names as in a clause, `desired` what mappings write, `groups` the names of the person's
 * groups of the source, `now` the run's moment. Throws SyncError `Invalid` with the place of what is wrong.
 */
export function compileCelCondition(source: string): Condition {
  const compiled = compileCel(source, { variables: ['user', 'desired', 'groups', 'now'], result: 'bool' });
  const desired = compiled.desired.map((name) => [name, `desired:${name}`] as const);
  return {
    text: source.trim(),
    needs: {
      ...NO_NEEDS,
      attributes: [...compiled.user, ...desired.map(([, name]) => name)],
      groups: compiled.groups,
    },
    matches: ({ read, groups, now }) =>
      compiled.evaluate({
        user: new Map(compiled.user.map((name) => [name, read(name)])),
        desired: new Map(desired.map(([name, full]) => [name, read(full)])),
        groups: groups.map(({ displayName }) => displayName),
        now,
      }) === true,
  };
}
