/**
 * A SCIM application in memory that behaves as a dialect does: `handle` answers one request, without sockets, clock or
 * chance. `toTransport` puts it behind the HTTP client.
 */
import type { Json } from '../../../src/model.ts';
import type { Dialect } from './dialect.ts';
import { applyOperation, type Document, expand, isSame, type Operation, toObject, toOperations } from './patch.ts';
import { DialectRefusal } from './refusal.ts';
import { checkRequired, checkText } from './values.ts';

export interface DialectRequest {
  readonly method: string;
  /** Absolute, or a path with its query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface DialectResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DialectOptions {
  readonly token?: string;
  readonly basePath?: string;
  /** Ids of what is created, by the number of the creation. */
  readonly newId?: (count: number) => string;
}

export interface DialectServer {
  readonly dialect: Dialect;
  readonly token: string;
  readonly basePath: string;
  /** By id, without members. */
  readonly users: Map<string, Document>;
  readonly groups: Map<string, Document>;
  /** User ids, by the group's. */
  readonly members: Map<string, Set<string>>;
  readonly requests: DialectRequest[];
  /** Requests that were refused with 400, 405 or 501: what a client that knows the dialect does not send. */
  readonly refused: { readonly request: DialectRequest; readonly detail: string }[];
  /** Set to answer in its place, or to throw; null lets the request through. */
  intercept: ((request: DialectRequest) => DialectResponse | null) | null;
  handle(request: DialectRequest): DialectResponse;
}

/** Letters in them, so that their case can be changed. */
function toDefaultId(count: number): string {
  return `abcdef00-0000-4000-8000-${String(count).padStart(12, '0')}`;
}

export function createDialectServer(dialect: Dialect, options: DialectOptions = {}): DialectServer {
  const { token = 'right', basePath = '/scim/v2', newId = toDefaultId } = options;
  let created = 0;
  const server: DialectServer = {
    dialect,
    token,
    basePath,
    users: new Map(),
    groups: new Map(),
    members: new Map(),
    requests: [],
    refused: [],
    intercept: null,
    handle(request) {
      server.requests.push(request);
      const instead = server.intercept?.(request) ?? null;
      if (instead !== null) return instead;
      return answerOne(server, request, () => newId(++created));
    },
  };
  return server;
}

function answerOne(server: DialectServer, request: DialectRequest, newId: () => string): DialectResponse {
  try {
    return route(server, request, newId);
  } catch (thrown) {
    if (!(thrown instanceof DialectRefusal)) throw thrown;
    const { status, scimType, message: detail } = thrown;
    if (status === 400 || status === 405 || status === 501) server.refused.push({ request, detail });
    return toResponse(status, { status: String(status), ...(scimType === null ? {} : { scimType }), detail });
  }
}

interface Call {
  readonly server: DialectServer;
  readonly method: string;
  readonly kind: 'User' | 'Group';
  readonly id: string | null;
  readonly query: URLSearchParams;
  readonly body: Document;
  readonly newId: () => string;
}

function route(server: DialectServer, request: DialectRequest, newId: () => string): DialectResponse {
  const { dialect, basePath } = server;
  if (request.headers['authorization'] !== `Bearer ${server.token}`) throw new DialectRefusal(401, 'who are you?');
  const url = new URL(request.url, 'http://dialect.example');
  if (!url.pathname.startsWith(`${basePath}/`)) throw new DialectRefusal(404, 'no such address');
  const [type, id] = url.pathname.slice(basePath.length + 1).split('/');
  if (type === 'ServiceProviderConfig' && dialect.config !== null) return toResponse(200, dialect.config);
  if (type === 'Bulk' && dialect.bulk !== null) return answerBulk(server, request, newId);
  if (type !== 'Users' && (type !== 'Groups' || dialect.groups === 'none')) throw new DialectRefusal(404, 'not here');
  const kind = type === 'Users' ? 'User' : 'Group';
  const body = request.body === undefined ? {} : (JSON.parse(request.body) as Document);
  const given = id === undefined ? null : decodeURIComponent(id);
  const known = given !== null && dialect.upperIds ? given.toLowerCase() : given;
  return answer({ server, method: request.method, kind, id: known, query: url.searchParams, body, newId });
}

/** Each operation as if it had come alone; only how many there may be is a matter of the whole. */
function answerBulk(server: DialectServer, request: DialectRequest, newId: () => string): DialectResponse {
  const { Operations: operations } = JSON.parse(request.body ?? '{}') as { Operations: Document[] };
  if (operations.length > (server.dialect.bulk ?? 0)) throw new DialectRefusal(413, 'too many operations');
  const results = operations.map(({ method, path, bulkId, data }): Document => {
    const one = { method: String(method), url: `${server.basePath}${path}`, headers: request.headers };
    const { status, headers, body } = answerOne(server, { ...one, body: JSON.stringify(data ?? {}) }, newId);
    const location = headers['location'] ?? `${server.basePath}${path}`;
    const result: Document = { method: method ?? null, bulkId: bulkId ?? null, status: String(status), location };
    if (status >= 400) result['response'] = JSON.parse(body) as Json;
    return result;
  });
  return toResponse(200, { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'], Operations: results });
}

function answer(call: Call): DialectResponse {
  const { method, id, server } = call;
  for (const name of server.dialect.refusedParameters)
    if (call.query.has(name)) throw new DialectRefusal(400, `the parameter ${name} is not supported`);
  const found = id === null ? answerType(call) : answerObject(call, need(call, id));
  if (found === null) throw new DialectRefusal(405, `${method} is not supported`);
  return found;
}

function answerType(call: Call): DialectResponse | null {
  if (call.method === 'GET') return list(call);
  return call.method === 'POST' ? create(call) : null;
}

function answerObject(call: Call, known: Document): DialectResponse | null {
  switch (call.method) {
    case 'GET':
      return toResponse(200, present(call, known));
    case 'PATCH':
      return patch(call, known);
    case 'PUT':
      return call.server.dialect.put ? put(call, known) : null;
    case 'DELETE':
      return remove(call, known);
    default:
      return null;
  }
}

function tableOf({ server, kind }: Pick<Call, 'server' | 'kind'>): Map<string, Document> {
  return kind === 'User' ? server.users : server.groups;
}

function need(call: Call, id: string): Document {
  const found = tableOf(call).get(id);
  if (found === undefined) throw new DialectRefusal(404, 'there is no such object');
  return found;
}

/** The object as it is answered. */
function present(call: Call, document: Document): Json {
  const { dialect } = call.server;
  const copy: Document = { ...document };
  const id = String(copy['id']);
  copy['id'] = toShownId(id, dialect);
  copy['meta'] = { resourceType: call.kind };
  if (dialect.activeAsText && typeof copy['active'] === 'boolean') copy['active'] = copy['active'] ? 'True' : 'False';
  if (dialect.hidesActive) delete copy['active'];
  return call.kind === 'User' ? copy : { ...copy, ...presentMembers(call, id) };
}

function toShownId(id: string, { upperIds }: Dialect): string {
  return upperIds ? id.toUpperCase() : id;
}

function presentMembers({ server, id: asked, query }: Call, id: string): Document {
  const { shown } = server.dialect.members;
  const isAbsent = shown === 'absent' || (shown === 'single' && asked === null);
  if (isAbsent || query.get('excludedAttributes') === 'members') return {};
  const ids = shown === 'empty' ? [] : [...(server.members.get(id) ?? [])];
  return { members: ids.map((value) => ({ value: toShownId(value, server.dialect) })) };
}

function list(call: Call): DialectResponse {
  const { server, query } = call;
  const { dialect } = server;
  const found = [...tableOf(call).values()].filter(toFilter(call, query.get('filter')));
  const count = Math.min(Number(query.get('count') ?? dialect.pageSize), dialect.pageSize);
  const byCursor = dialect.paging !== 'index' && (query.has('cursor') || dialect.paging === 'cursorOnly');
  const start = byCursor ? Number((query.get('cursor') ?? '').slice(1)) : toStart(query, dialect);
  const page = found.slice(start, start + count).map((each) => present(call, each));
  return toResponse(200, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    ...(dialect.totals && !(byCursor && dialect.paging === 'cursor') ? { totalResults: found.length } : {}),
    itemsPerPage: page.length,
    ...(byCursor && start + count < found.length ? { nextCursor: `c${start + count}` } : {}),
    [dialect.envelope]: page,
  });
}

function toStart(query: URLSearchParams, { ignoresStartIndex }: Dialect): number {
  return ignoresStartIndex ? 0 : Math.max(0, Number(query.get('startIndex') ?? 1) - 1);
}

type Filter = (document: Document) => boolean;

const TERM = /^([A-Za-z][\w.:$-]*) eq ("(?:[^"\\]|\\.)*"|true|false|\d+)$/;

function toFilter(call: Call, text: string | null): Filter {
  const { dialect } = call.server;
  if (text === null || dialect.filtering === 'ignored') return () => true;
  if (dialect.filtering === 'refused') throw new DialectRefusal(400, 'filters are not supported', 'invalidFilter');
  if ([...dialect.filterForbids].some((each) => text.includes(each)))
    throw new DialectRefusal(400, 'the filter has a character that is not understood', 'invalidFilter');
  const terms = text.split(' and ').map((term) => {
    const [, attribute = '', value = ''] = TERM.exec(term) ?? [];
    const known = dialect.filters[call.kind];
    if (attribute === '' || (known !== null && !known.includes(attribute)))
      throw new DialectRefusal(400, `a filter of this form or by ${attribute} is not supported`, 'invalidFilter');
    return { attribute, value: JSON.parse(value) as Json };
  });
  return (document) => terms.every((term) => holds(call, document, term));
}

function holds({ server }: Call, document: Document, term: { attribute: string; value: Json }): boolean {
  const id = String(document['id']);
  const value = String(term.value);
  if (term.attribute === 'groups.value') return server.members.get(value)?.has(id) ?? false;
  if (term.attribute === 'members.value' || term.attribute === 'members')
    return server.members.get(id)?.has(value) ?? false;
  if (term.attribute === 'externalId') return document['externalId'] === term.value;
  const [name = '', sub] = term.attribute === 'email' ? ['emails', 'value'] : term.attribute.split('.');
  const at = document[name];
  if (sub === undefined) return isSame(at, term.value);
  return [at].flat().some((each) => isSame(toObject(each as Json)?.[sub], term.value));
}

function create(call: Call): DialectResponse {
  const { server, kind, body, newId } = call;
  const { dialect } = server;
  if (kind === 'Group' && dialect.groups !== 'full') throw new DialectRefusal(400, 'groups cannot be made');
  const { members, ...given } = body;
  const id = dialect.idFromExternalId && kind === 'User' ? String(given['externalId']) : newId();
  const document = toStored(call, { ...given, id }, null);
  if (kind === 'User') {
    checkRequired(given, document, dialect);
    document['active'] ??= true;
  }
  tableOf(call).set(id, document);
  if (kind === 'Group') {
    server.members.set(id, new Set());
    changeMembers(call, id, { op: 'add', path: 'members', value: members ?? [] });
  }
  return toCreated(call, document);
}

function toCreated(call: Call, document: Document): DialectResponse {
  const { server, kind } = call;
  const { create: status } = server.dialect.status;
  const answered = present(call, document);
  const location = `${server.basePath}/${kind}s/${toObject(answered)?.['id']}`;
  return status === 204 ? { status, headers: { location }, body: '' } : toResponse(status, answered, { location });
}

/** What is kept of an object, or why it is refused. */
function toStored(call: Call, document: Document, before: Document | null): Document {
  const { server, kind } = call;
  const { dialect } = server;
  const stored: Document = { ...document };
  delete stored['schemas'];
  delete stored['meta'];
  for (const [path, rewrite] of Object.entries(dialect.rewritten)) {
    const [of, name = ''] = path.split('.');
    const value = stored[name];
    if (of === kind && typeof value === 'string' && value !== before?.[name]) stored[name] = rewrite(value);
  }
  if (kind === 'Group') {
    checkText(stored, dialect);
    return stored;
  }
  for (const name of dialect.forbidden)
    if (stored[name] !== undefined) throw new DialectRefusal(400, `${name} is not supported`, 'invalidPath');
  for (const name of dialect.dropped) delete stored[name];
  for (const name of dialect.lowered) {
    const value = stored[name];
    if (typeof value === 'string') stored[name] = value.toLowerCase();
  }
  checkText(stored, dialect);
  checkUnique(call, stored);
  return stored;
}

function checkUnique(call: Call, document: Document): void {
  for (const other of tableOf(call).values()) {
    if (other['id'] !== document['id'] && isSame(other['userName'], document['userName']))
      throw new DialectRefusal(409, 'userName is taken', 'uniqueness');
  }
}

function patch(call: Call, known: Document): DialectResponse {
  const { server, kind, body } = call;
  const { dialect } = server;
  const isNone = kind === 'User' && dialect.patchable !== null && dialect.patchable.length === 0;
  if (dialect.refusesPatch || isNone) throw new DialectRefusal(405, 'PATCH is not supported');
  const operations = toOperations(body, dialect).flatMap((each) => expand(each, dialect));
  const document = structuredClone(known);
  if (kind === 'Group') {
    checkMemberOperations(operations, dialect);
    const before = new Set(server.members.get(String(known['id'])));
    try {
      for (const each of operations) {
        if (/^members\b/.test(each.path ?? '')) changeMembers(call, String(known['id']), each);
        else applyGroup(document, each, dialect);
      }
    } catch (thrown) {
      server.members.set(String(known['id']), before);
      throw thrown;
    }
  } else for (const each of operations) applyUser(document, each, dialect);
  return store(call, toStored(call, document, known), dialect.status.patch);
}

function applyGroup(document: Document, operation: Operation, dialect: Dialect): void {
  if (operation.path === 'displayName' && !dialect.renameGroup)
    throw new DialectRefusal(400, 'a group cannot be renamed', 'mutability');
  applyOperation(document, operation, dialect);
}

function applyUser(document: Document, operation: Operation, dialect: Dialect): void {
  const top = operation.path?.split(/[.[]/)[0] ?? '';
  if (dialect.patchable !== null && !dialect.patchable.includes(top))
    throw new DialectRefusal(400, `${top} cannot be changed`, 'mutability');
  applyOperation(document, operation, dialect);
  // Words of old clients.
  const { active } = document;
  if (typeof active === 'string') document['active'] = active.toLowerCase() === 'true';
}

function store(call: Call, document: Document, status: 200 | 204): DialectResponse {
  const { server, kind } = call;
  const id = String(document['id']);
  if (kind === 'User' && document['active'] === false && server.dialect.activeFalse === 'removes') forget(call, id);
  else tableOf(call).set(id, document);
  return status === 204 ? { status, headers: {}, body: '' } : toResponse(status, present(call, document));
}

/** Members that one operation names. */
function toMembers({ path, value }: Operation): string[] {
  const named = /^members\[value eq "(.+)"\]$/.exec(path ?? '')?.[1];
  if (named !== undefined) return [named];
  return [value ?? []].flat().map((each) => String(toObject(each as Json)?.['value']));
}

function checkMemberOperations(
  operations: readonly Operation[],
  { members, noPathFilter, memberRemoval }: Dialect,
): void {
  const some = operations.filter(({ path }) => /^members\b/.test(path ?? ''));
  const count = (op: Operation['op']): number =>
    some.filter((each) => each.op === op).reduce((sum, each) => sum + toMembers(each).length, 0);
  const [add, remove] = [count('add'), count('remove')];
  if (add > members.add || remove > members.remove || add + remove > members.total)
    throw new DialectRefusal(members.tooMany, 'too many members in one request');
  if (!members.mixed && some.length > 0 && operations.length > 1)
    throw new DialectRefusal(400, 'only one change of members in a request');
  for (const { op, path } of some) {
    if (op === 'remove' && path === 'members' && memberRemoval === 'refused')
      throw new DialectRefusal(400, 'all members would be removed');
    if ((noPathFilter || memberRemoval === 'named') && path?.includes('[') === true)
      throw new DialectRefusal(400, 'filters in paths are not supported', 'invalidPath');
  }
}

function changeMembers({ server }: Call, id: string, operation: Operation): void {
  const { upperIds, strict, memberRemoval } = server.dialect;
  const members = server.members.get(id) ?? new Set<string>();
  const named = toMembers(operation).map((each) => (upperIds ? each.toLowerCase() : each));
  for (const each of operation.op === 'remove' ? [] : named)
    if (!server.users.has(each)) throw new DialectRefusal(400, `there is no user ${each}`, 'invalidValue');
  const isEmptied = operation.op === 'remove' && operation.path === 'members' && memberRemoval === 'all';
  if (operation.op === 'replace' || isEmptied) members.clear();
  for (const each of named) {
    if (operation.op !== 'remove') members.add(each);
    else if (!members.delete(each) && strict) throw new DialectRefusal(400, 'no such member', 'noTarget');
  }
  server.members.set(id, members);
}

function put(call: Call, known: Document): DialectResponse {
  const { server, kind, body } = call;
  const { members, ...given } = body;
  const id = String(known['id']);
  if (kind === 'Group' && !server.dialect.renameGroup && !isSame(given['displayName'], known['displayName']))
    throw new DialectRefusal(400, 'a group cannot be renamed', 'mutability');
  const document = toStored(call, { ...given, id }, known);
  for (const [name, value] of Object.entries(document)) if (value === null) delete document[name];
  if (typeof document['active'] === 'string') document['active'] = document['active'].toLowerCase() === 'true';
  if (kind === 'Group') changeMembers(call, id, { op: 'replace', path: 'members', value: members ?? [] });
  return store(call, document, 200);
}

function remove(call: Call, known: Document): DialectResponse {
  const { server, kind } = call;
  const { deleteUser, groups } = server.dialect;
  const id = String(known['id']);
  if (kind === 'Group') {
    if (groups !== 'full') throw new DialectRefusal(400, 'groups cannot be deleted');
    server.groups.delete(id);
    server.members.delete(id);
  } else if (deleteUser === 'forbidden') throw new DialectRefusal(403, 'users cannot be deleted');
  else if (deleteUser === 'unsupported') throw new DialectRefusal(405, 'users cannot be deleted');
  else if (deleteUser === 'deactivates') server.users.set(id, { ...known, active: false });
  else forget(call, id);
  const { delete: status } = server.dialect.status;
  return { status, headers: {}, body: '' };
}

function forget({ server }: Call, id: string): void {
  server.users.delete(id);
  for (const members of server.members.values()) members.delete(id);
}

function toResponse(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): DialectResponse {
  return { status, headers: { 'content-type': 'application/scim+json', ...headers }, body: JSON.stringify(body) };
}
