/** The names that a read could deliver, as its end says them (rule S4 of `source.ts`). */
import type { Json } from '../model.ts';

/** Names of attributes seen, for the end of the read (S4). */
export interface NameCollector {
  addColumns(columns: readonly string[]): void;
  /** Adds the paths through nested objects; lists are values, their inside has no names. */
  addRecord(attributes: Readonly<Record<string, Json>>): void;
  /** Dotted paths in the order in which they were seen. */
  list(): readonly string[];
}

/** Bound on names (S4); objects used as maps would otherwise grow without end. Beyond it a name is unknown. */
const MAX_NAMES = 10_000;
const MAX_DEPTH = 32;

type NameTree = Map<string, NameTree>;

export function createNameCollector(): NameCollector {
  const root: NameTree = new Map();
  let count = 0;

  function enter(tree: NameTree, name: string): NameTree | undefined {
    const known = tree.get(name);
    if (known !== undefined || count >= MAX_NAMES) return known;
    count += 1;
    const added: NameTree = new Map();
    tree.set(name, added);
    return added;
  }

  function walk(tree: NameTree, value: Readonly<Record<string, Json>>, depth: number): void {
    for (const name of Object.keys(value)) {
      const inner = enter(tree, name);
      const child = value[name];
      if (inner !== undefined && depth < MAX_DEPTH && isObject(child)) walk(inner, child, depth + 1);
    }
  }

  return {
    addColumns: (columns) => {
      for (const column of columns) enter(root, column);
    },
    addRecord: (attributes) => walk(root, attributes, 1),
    list: () => [...listPaths(root, '')],
  };
}

function* listPaths(tree: NameTree, prefix: string): Generator<string> {
  for (const [name, inner] of tree) {
    yield `${prefix}${name}`;
    yield* listPaths(inner, `${prefix}${name}.`);
  }
}

/** Is it an object of JSON: no list, no null? */
export function isObject(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
