/** A directory over HTTP as its conformance suites lay it out and break it. */
import type { HttpClient } from '../../src/http/client.ts';
import type { Source } from '../../src/sources/source.ts';
import type { Fault, ScriptedServer, SeenRequest } from '../support/scripted-server.ts';
import type { SampleGroup, SamplePerson } from './source.ts';

/** Somebody in a page whose item has no id. */
export const NAMELESS = 'nameless';

export interface RunningDirectory {
  readonly server: ScriptedServer;
  /** What no message may show. */
  readonly secrets: readonly string[];
  connect(http: HttpClient, credentials?: 'wrong'): Promise<Source>;
  /** The list of people in these pages; `next` says for some by number which page they name instead of the next. */
  layOut(
    pages: readonly (readonly (SamplePerson | typeof NAMELESS)[])[],
    next?: Readonly<Record<number, number>>,
  ): void;
  /** Does it ask for a page of people? */
  isForPeople(request: SeenRequest): boolean;
  /** S11: how many people the directory says that it has. */
  declare?(total: number): void;
  /** S12: tokens given so far are refused from now on, new ones are not. */
  expireTokens?(): void;
  /** S9: groups, with people who are in the list; and does a request ask for the members of that group? */
  setGroups?(groups: readonly SampleGroup[]): void;
  isForMembers?(request: SeenRequest, group: string): boolean;
}

export interface HttpSourceHarness {
  start(): Promise<RunningDirectory>;
  /** What the directory does not have, each with the reason. Nothing else may be left out. */
  readonly unsupported: Readonly<Partial<Record<'totals' | 'tokens' | 'groups', string>>>;
}

const PAGE = 100;
export function createPeople(count: number): SamplePerson[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `person-${index + 1}`,
    active: index % 7 !== 3,
    attributes: { mail: `person.${index + 1}@example.com`, displayName: `Person ${index + 1}`, department: 'Finance' },
  }));
}

export function toPages<Item>(items: readonly Item[], size = PAGE): Item[][] {
  const count = Math.max(1, Math.ceil(items.length / size));
  return Array.from({ length: count }, (_, page) => items.slice(page * size, (page + 1) * size));
}

/** Breaks the answer for a page of people, counted from 1 by the order in which they are asked for; `times` times, or always. */
export function breakPage(
  directory: RunningDirectory,
  page: number,
  fault: Fault,
  {
    times = Number.POSITIVE_INFINITY,
    onFault = () => undefined,
  }: { readonly times?: number; readonly onFault?: () => void } = {},
): void {
  const asked: string[] = [];
  let left = times;
  directory.server.fault = (request) => {
    if (!directory.isForPeople(request)) return null;
    const key = String(request.query);
    if (!asked.includes(key)) asked.push(key);
    if (asked.indexOf(key) !== page - 1 || left <= 0) return null;
    left -= 1;
    onFault();
    return fault;
  };
}
