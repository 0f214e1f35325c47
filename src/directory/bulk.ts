/**
 * POST /Bulk (RFC 7644 section 3.7). Each operation stands for itself: what fails takes nothing back of the others. Only
 * operations that refer to each other in a circle are carried out together or not at all.
 */

import type { Json } from '../model.ts';
import { URN_BULK_RESPONSE } from '../scim/schema.ts';
import { orderByReference } from './bulk-order.ts';
import { type BulkOperation, listReferences, parseBulkRequest, resolveReferences } from './bulk-request.ts';
import { ENDPOINTS } from './catalog.ts';
import { findKey, isObject, type JsonObject, readKey, toList } from './json.ts';
import { Refusal, toBadRequest, toErrorBody } from './refusal.ts';
import type { ScimAnswer, ScimRequest, Service } from './routes.ts';

/** Answers a request for one resource as if it had come alone. Throws Refusal. */
export type Answerer = (request: ScimRequest, service: Service) => ScimAnswer;

/** Refuses with 400 or 413 a body that is no bulk request; else 200, whatever became of its operations. */
export function answerBulk(body: Json, service: Service, answerOne: Answerer): ScimAnswer {
  const { operations, failOnErrors } = parseBulkRequest(body, service.maxOperations);
  const run: BulkRun = { operations, service, answerOne, ids: new Map(), outcomes: new Map() };
  let errors = 0;
  for (const group of orderByReference(toDependencies(operations))) {
    if (errors >= failOnErrors) break;
    carryOut(group, run);
    errors += group.filter((index) => run.outcomes.get(index) instanceof Refusal).length;
  }
  const results = operations.flatMap((operation, index) => {
    const outcome = run.outcomes.get(index);
    return outcome === undefined ? [] : [toResult(operation, outcome, run)];
  });
  return { status: 200, headers: {}, body: { schemas: [URN_BULK_RESPONSE], Operations: results } };
}

interface BulkRun {
  readonly operations: readonly BulkOperation[];
  readonly service: Service;
  readonly answerOne: Answerer;
  /** Ids of what was made, or is being made, by bulkId. */
  readonly ids: Map<string, string>;
  /** By index. An operation that was not reached has none. */
  readonly outcomes: Map<number, ScimAnswer | Refusal>;
}

/** For each operation those that make what it refers to. A bulkId that is given twice belongs to the first. */
function toDependencies(operations: readonly BulkOperation[]): number[][] {
  const makers = new Map<string, number>();
  for (const [index, { method, bulkId }] of operations.entries()) {
    if (method === 'POST' && bulkId !== null && !makers.has(bulkId)) makers.set(bulkId, index);
  }
  return operations.map((operation) =>
    [...listReferences(operation)].map((each) => makers.get(each)).filter((each) => each !== undefined),
  );
}

/** One operation, or those of a circle: each of these is made without the members that it gets when all are made. */
function carryOut(group: readonly number[], run: BulkRun): void {
  const coming = assignIds(group, run);
  let current = group[0] ?? 0;
  try {
    run.service.store.transaction(() => {
      for (const index of group) {
        current = index;
        run.outcomes.set(index, carryOutOne(index, coming, run));
      }
      for (const index of group) {
        current = index;
        addComingMembers(index, coming, run);
      }
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const bulkId of coming.keys()) run.ids.delete(bulkId);
    for (const index of group)
      run.outcomes.set(index, index === current ? error : toDependent(run.operations[current]));
  }
}

/** The ids, by bulkId, of what the operations are about to make. */
function assignIds(group: readonly number[], { operations, ids, service }: BulkRun): ReadonlyMap<string, string> {
  const assigned = new Map<string, string>();
  for (const index of group) {
    const operation = operations[index];
    if (operation?.method !== 'POST' || operation.bulkId === null || operation.refusal !== null) continue;
    const id = service.makeId();
    assigned.set(operation.bulkId, id);
    ids.set(operation.bulkId, id);
  }
  return assigned;
}

function toDependent(failed: BulkOperation | undefined): Refusal {
  return new Refusal(409, `it refers to the operation with bulkId ${JSON.stringify(failed?.bulkId)}, which failed`);
}

function carryOutOne(index: number, coming: ReadonlyMap<string, string>, run: BulkRun): ScimAnswer {
  const { method, bulkId, version, segments, data } = resolve(index, run);
  const id = bulkId === null ? undefined : coming.get(bulkId);
  const service = id === undefined ? run.service : { ...run.service, makeId: () => id };
  const request: ScimRequest = {
    method: method ?? '',
    segments,
    query: new URLSearchParams(),
    ifMatch: version,
    ifNoneMatch: null,
    showsResource: false,
    readBody: () => splitMembers(data, coming).data,
  };
  return run.answerOne(request, service);
}

function resolve(index: number, { operations, ids }: BulkRun): BulkOperation {
  const operation = operations[index];
  if (operation === undefined) throw new Error(`there is no operation ${index}`);
  if (operation.refusal !== null) throw operation.refusal;
  return resolveReferences(operation, (bulkId) => {
    const id = ids.get(bulkId);
    if (id !== undefined) return id;
    const failed = operations.find((each) => each.bulkId === bulkId && each.method === 'POST');
    if (failed !== undefined) throw toDependent(failed);
    throw toBadRequest('invalidValue', `no operation of this request makes ${JSON.stringify(`bulkId:${bulkId}`)}`);
  });
}

function addComingMembers(index: number, coming: ReadonlyMap<string, string>, run: BulkRun): void {
  const { bulkId, data } = resolve(index, run);
  const { missing } = splitMembers(data, coming);
  const group = run.service.store.find('Group', coming.get(bulkId ?? '') ?? '');
  if (group !== undefined) run.service.store.addMembers(group, missing);
}

/** The data without the members that are still to come, and their ids. */
function splitMembers(data: Json | undefined, coming: ReadonlyMap<string, string>): { data: Json; missing: string[] } {
  const key = isObject(data) ? findKey(data, 'members') : undefined;
  if (!isObject(data) || key === undefined || coming.size === 0) return { data: data ?? null, missing: [] };
  const ids = new Set(coming.values());
  const idOf = (member: Json) => String(readKey(member, 'value'));
  const members = toList(data[key]);
  const missing = members.map(idOf).filter((each) => ids.has(each));
  if (missing.length === 0) return { data, missing };
  return { data: { ...data, [key]: members.filter((each) => !ids.has(idOf(each))) }, missing };
}

function toResult(operation: BulkOperation, outcome: ScimAnswer | Refusal, run: BulkRun): JsonObject {
  const { method, bulkId } = operation;
  const shared = {
    ...(method === null ? {} : { method }),
    ...(bulkId === null ? {} : { bulkId }),
    ...toLocation(operation, outcome, run),
  };
  if (outcome instanceof Refusal) {
    const { status, message, scimType } = outcome;
    return { ...shared, status: String(status), response: toErrorBody(status, message, scimType) };
  }
  const version = outcome.headers['ETag'];
  return { ...shared, ...(version === undefined ? {} : { version }), status: String(outcome.status) };
}

/** Nothing for a POST that failed, or a path that names no resource. */
function toLocation({ method, segments }: BulkOperation, outcome: ScimAnswer | Refusal, run: BulkRun): JsonObject {
  const [collection = '', name] = segments;
  const id = name?.startsWith('bulkId:') ? run.ids.get(name.slice('bulkId:'.length)) : name;
  if (method === 'POST') {
    return outcome instanceof Refusal ? {} : { location: outcome.headers['Location'] ?? '' };
  }
  const endpoint = Object.values(ENDPOINTS).find((each) => each.toLowerCase() === `/${collection.toLowerCase()}`);
  if (endpoint === undefined || id === undefined || segments.length !== 2) return {};
  return { location: `${run.service.baseUrl}${endpoint}/${encodeURIComponent(id)}` };
}
