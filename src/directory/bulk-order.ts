/** The order in which the operations of a bulk request are carried out (RFC 7644 section 3.7.1). */

/**
 * Groups of indexes: each group after all that it refers to, and else in the order of the request. Most groups have one
 * member; operations that refer to each other in a circle stand in one group. `dependencies[i]` lists what `i` refers to.
 * This is Tarjan's algorithm; it goes as deep as the longest chain of references.
 */
export function orderByReference(dependencies: readonly (readonly number[])[]): number[][] {
  const search: Search = { dependencies, visits: new Map(), path: [], groups: [] };
  for (const index of dependencies.keys()) {
    if (!search.visits.has(index)) visit(index, search);
  }
  return search.groups;
}

interface Visit {
  readonly order: number;
  /** The earliest operation on the path that this one leads back to. */
  lowest: number;
  /** Whether its group is not known yet. */
  isOpen: boolean;
}

interface Search {
  readonly dependencies: readonly (readonly number[])[];
  readonly visits: Map<number, Visit>;
  readonly path: number[];
  readonly groups: number[][];
}

function visit(index: number, search: Search): Visit {
  const own: Visit = { order: search.visits.size, lowest: search.visits.size, isOpen: true };
  search.visits.set(index, own);
  search.path.push(index);
  for (const other of search.dependencies[index] ?? []) {
    const seen = search.visits.get(other);
    if (seen === undefined) own.lowest = Math.min(own.lowest, visit(other, search).lowest);
    else if (seen.isOpen) own.lowest = Math.min(own.lowest, seen.order);
  }
  if (own.lowest === own.order) closeGroup(index, search);
  return own;
}

function closeGroup(first: number, { path, visits, groups }: Search): void {
  const group = path.splice(path.lastIndexOf(first));
  for (const each of group) {
    const seen = visits.get(each);
    if (seen !== undefined) seen.isOpen = false;
  }
  groups.push(group.sort((a, b) => a - b));
}
