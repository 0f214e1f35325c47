/**
 * The attributes of people as a tree: what there is, of which types, how many people have it, and the path by which a
 * mapping reads it. Built record by record; what is kept does not grow with the directory. Pure.
 */
import { formatSourcePath, type PathPart } from '../expression/path-text.ts';
import type { Json } from '../model.ts';
import { isEmptyValue } from './coerce.ts';
import { isDateTime, maskValue } from './masking.ts';

export interface AttributeNode {
  /** As `source:` of a mapping takes it. */
  readonly path: string;
  /** Of values seen, the most frequent first: `String`, `list of Complex`. Empty: nobody has one. */
  readonly types: readonly string[];
  /** How many people have a value. */
  readonly people: number;
  /** The form of one value, see `maskValue`; null: nobody has one, or it is an object or a list. */
  readonly sample: string | null;
  readonly attributes: readonly AttributeNode[];
}

export interface AttributeTree {
  readonly attributes: readonly AttributeNode[];
  /** There are more than are kept: of what comes behind nothing is known. */
  readonly isCut: boolean;
}

export interface AttributeTally {
  addRecord(attributes: Readonly<Record<string, Json>>): void;
  /** Names that a read could deliver, as its end says them: nested ones dotted. Whoever lacks one has it nonetheless. */
  addNames(names: readonly string[]): void;
  /** @param customs names of CustomAttributes: a bare name means one of them first */
  toTree(customs: ReadonlySet<string>): AttributeTree;
}

/** Objects that are used as maps would otherwise grow without end. */
const MOST_BRANCHES = 10_000;
const MOST_DEPTH = 32;
/** Beyond it `type` is no kind of entry but data. */
const MOST_TYPES = 12;
/** Longer ones are no kinds either. */
const LONGEST_TYPE = 40;

interface Branch {
  readonly names: Map<string, Branch>;
  /** Of a list: the entry that `[primary]` and `[0]` read. */
  first: Branch | null;
  /** Of a list: the first entry of each type, by the type in small letters. */
  readonly types: Map<string, { readonly type: string; readonly branch: Branch }>;
  hasTooManyTypes: boolean;
  /** Some entry is marked as primary. */
  hasPrimary: boolean;
  /** Some entry has no type. */
  hasUntyped: boolean;
  people: number;
  /** People by the type of what they have. */
  readonly seen: Map<string, number>;
  sample: string | null;
}

function createBranch(): Branch {
  return {
    ...{ names: new Map(), first: null, types: new Map(), seen: new Map(), people: 0, sample: null },
    ...{ hasTooManyTypes: false, hasPrimary: false, hasUntyped: false },
  };
}

type Fields = Readonly<Record<string, Json>>;

/** Branches that there may still be. */
interface Room {
  left: number;
  isCut: boolean;
}

export function createAttributeTally(): AttributeTally {
  const root = createBranch();
  const room: Room = { left: MOST_BRANCHES, isCut: false };
  return {
    addRecord: (attributes) => {
      addFields(root, attributes, { room, depth: 0 });
    },
    addNames: (names) => {
      const given = new Set(names);
      for (const name of names) addName(root, splitName(name, given), room);
    },
    toTree: (customs) => ({ attributes: toNodes(root, { parts: [], runs: [], customs }), isCut: room.isCut }),
  };
}

interface Place {
  readonly room: Room;
  readonly depth: number;
}

function grow(room: Room): Branch | null {
  if (room.left === 0) {
    room.isCut = true;
    return null;
  }
  room.left -= 1;
  return createBranch();
}

function enterName(branch: Branch, name: string, room: Room): Branch | null {
  const known = branch.names.get(name);
  if (known !== undefined) return known;
  // No path leads to a name of nothing.
  const added = name === '' ? null : grow(room);
  if (added !== null) branch.names.set(name, added);
  return added;
}

/** @returns whether the person has a value in it */
function addFields(branch: Branch, fields: Fields, { room, depth }: Place): boolean {
  let isFilled = false;
  for (const [name, value] of Object.entries(fields)) {
    const inner = enterName(branch, name, room);
    const has = inner === null ? !isEmptyValue(value) : addValue(inner, value, { room, depth: depth + 1 });
    isFilled ||= has;
  }
  return isFilled;
}

/** Notes what one person has there. @returns whether it is a value at all */
function addValue(branch: Branch, value: Json, place: Place): boolean {
  const isFilled = isList(value) ? addList(branch, value, place) : addOne(branch, value, place);
  if (!isFilled) return false;
  const type = toType(value);
  branch.people += 1;
  branch.seen.set(type, (branch.seen.get(type) ?? 0) + 1);
  branch.sample ??= maskValue(value);
  return true;
}

function addOne(branch: Branch, value: Json, place: Place): boolean {
  if (!isFields(value)) return !isEmptyValue(value);
  return place.depth < MOST_DEPTH ? addFields(branch, value, place) : Object.keys(value).length > 0;
}

function addList(branch: Branch, list: readonly Json[], { room, depth }: Place): boolean {
  if (isEmptyValue(list)) return false;
  if (depth >= MOST_DEPTH) return true;
  const first = list.find(isPrimary) ?? list[0] ?? null;
  branch.hasPrimary ||= list.some(isPrimary);
  branch.first ??= grow(room);
  const inside = { room, depth: depth + 1 };
  if (branch.first !== null) addValue(branch.first, first, inside);
  const met = new Set<string>();
  for (const entry of list) {
    const type = isFields(entry) ? readEntryType(entry) : null;
    if (type === null) branch.hasUntyped = true;
    else if (!met.has(type.toLowerCase())) {
      met.add(type.toLowerCase());
      const typed = enterType(branch, type, room);
      if (typed !== null) addValue(typed, entry, inside);
    }
  }
  return true;
}

function readEntryType(entry: Fields): string | null {
  const type = Object.hasOwn(entry, 'type') ? entry['type'] : null;
  return typeof type === 'string' && type !== '' && type.length <= LONGEST_TYPE ? type : null;
}

function enterType(branch: Branch, type: string, room: Room): Branch | null {
  const known = branch.types.get(type.toLowerCase());
  if (known !== undefined || branch.hasTooManyTypes) return known?.branch ?? null;
  if (branch.types.size === MOST_TYPES) {
    branch.hasTooManyTypes = true;
    branch.types.clear();
    return null;
  }
  const added = grow(room);
  if (added !== null) branch.types.set(type.toLowerCase(), { type, branch: added });
  return added;
}

/** A name may have dots of its own; what it stands in is named too. */
function splitName(name: string, given: ReadonlySet<string>): readonly string[] {
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const outer = name.slice(0, dot);
    if (given.has(outer)) return [...splitName(outer, given), name.slice(dot + 1)];
  }
  return [name];
}

function addName(root: Branch, names: readonly string[], room: Room): void {
  let branch: Branch | null = root;
  for (const name of names) branch = branch === null ? null : enterName(branch, name, room);
}

/** Names in a row that a path would read as one, from where they begin. */
interface Run {
  readonly from: Branch;
  readonly joined: string;
}

interface Route {
  readonly parts: readonly PathPart[];
  readonly runs: readonly Run[];
  readonly customs: ReadonlySet<string>;
}

/** Of two attributes that one text could mean the longer name is read: then the other one is written name by name. */
function enterRoute({ parts, runs, customs }: Route, branch: Branch, name: string): Route {
  const joined = runs.flatMap(({ from, joined: before }) =>
    ['.', ':'].map((separator) => ({ from, joined: `${before}${separator}${name}` })),
  );
  const isForced = joined.some(({ from, joined: whole }) => from.names.has(whole));
  const part: PathPart = { kind: 'name', name, ...(isForced ? { isForced } : {}) };
  const own: Run = { from: branch, joined: name };
  return { parts: [...parts, part], runs: isForced ? [] : [...joined.slice(0, MOST_RUNS), own], customs };
}

/** Each level doubles them; a name that is put together of more names than that is not looked for. */
const MOST_RUNS = 64;

function toNodes(branch: Branch, route: Route): readonly AttributeNode[] {
  const sorted = [...branch.names].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const named = sorted.map(([name, inner]) => toNode(inner, enterRoute(route, branch, name)));
  return [...named, ...toEntryNodes(branch, route)];
}

/** What one entry of a list is read by; the first one only where no type tells it apart from the others. */
function toEntryNodes(branch: Branch, { parts, customs }: Route): readonly AttributeNode[] {
  const { first, types, hasPrimary, hasUntyped, hasTooManyTypes } = branch;
  if (first === null) return [];
  const enter = (part: PathPart): Route => ({ parts: [...parts, part], runs: [], customs });
  const typed = [...types.values()].map(({ type, branch: inner }) => toNode(inner, enter({ kind: 'type', type })));
  if (!hasPrimary && !hasUntyped && !hasTooManyTypes) return typed;
  const node = toNode(first, enter({ kind: 'first', isPrimary: hasPrimary }), listSingles(branch));
  return [node, ...typed];
}

/** A value that is no list is a list of one for `[0]`. */
function listSingles({ seen }: Branch): ReadonlyMap<string, number> {
  return new Map([...seen].filter(([type]) => !type.startsWith(LIST_OF)));
}

function toNode(branch: Branch, route: Route, singles: ReadonlyMap<string, number> = new Map()): AttributeNode {
  const seen = new Map(branch.seen);
  for (const [type, count] of singles) seen.set(type, (seen.get(type) ?? 0) + count);
  const path = formatSourcePath(route.parts);
  return {
    path: route.customs.has(path) ? `source:${path}` : path,
    types: [...seen].toSorted(([, left], [, right]) => right - left).map(([type]) => type),
    people: branch.people + [...singles.values()].reduce((sum, count) => sum + count, 0),
    sample: branch.sample,
    attributes: toNodes(branch, route),
  };
}

const LIST_OF = 'list of ';

/** In the words of the schemas: RFC 7643 section 2.3, with lists as `list of` what they hold. */
function toType(value: Json): string {
  switch (typeof value) {
    case 'string':
      return isDateTime(value) ? 'DateTime' : 'String';
    case 'boolean':
      return 'Boolean';
    case 'number':
      return Number.isInteger(value) ? 'Integer' : 'Decimal';
    default:
      return isList(value) ? `${LIST_OF}${toType(value.find((entry) => !isEmptyValue(entry)) ?? '')}` : 'Complex';
  }
}

function isPrimary(entry: Json): boolean {
  return isFields(entry) && Object.hasOwn(entry, 'primary') && String(entry['primary']).toLowerCase() === 'true';
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The attributes with this text in their path, without regard to case, each with all that is in it and what it is in. */
export function filterAttributes(nodes: readonly AttributeNode[], text: string): readonly AttributeNode[] {
  const wanted = text.toLowerCase();
  return nodes.flatMap((node) => {
    if (node.path.toLowerCase().includes(wanted)) return [node];
    const attributes = filterAttributes(node.attributes, text);
    return attributes.length === 0 ? [] : [{ ...node, attributes }];
  });
}

/** Every path, those inside of others too. */
export function listPaths(nodes: readonly AttributeNode[]): readonly string[] {
  return nodes.flatMap(({ path, attributes }) => [path, ...listPaths(attributes)]);
}

/** Paths that nobody has a value at; of what is in one of them nothing is said. */
export function listUnfilled(nodes: readonly AttributeNode[]): readonly string[] {
  return nodes.flatMap(({ path, people, attributes }) => (people === 0 ? [path] : listUnfilled(attributes)));
}
