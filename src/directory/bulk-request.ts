/** The body of POST /Bulk (RFC 7644 section 3.7), and what its operations refer to in each other. */

import type { Json } from '../model.ts';
import { URN_BULK_REQUEST } from '../scim/schema.ts';
import { assertShallow, isObject, readKey } from './json.ts';
import { Refusal, toBadRequest } from './refusal.ts';
import { assertSchemas } from './validate.ts';

export interface BulkRequest {
  /** Infinity when the client does not say. */
  readonly failOnErrors: number;
  readonly operations: readonly BulkOperation[];
}

export interface BulkOperation {
  /** As they were sent, for the answer: null for what is no text. */
  readonly method: string | null;
  readonly bulkId: string | null;
  readonly version: string | null;
  /** The path's parts, decoded: `['Users', 'bulkId:a']`; empty for none. */
  readonly segments: readonly string[];
  readonly data: Json | undefined;
  /** Why it cannot be carried out, whatever becomes of the others; null when it can. */
  readonly refusal: Refusal | null;
}

const METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Of a bulk request before anything of it is looked at; 1 for what is none. */
export function countOperations(body: string | null): number {
  try {
    const operations = readKey(JSON.parse(body ?? ''), 'Operations');
    return Array.isArray(operations) ? operations.length : 1;
  } catch {
    return 1;
  }
}

/** Refuses with 400 what is no bulk request, with 413 one of more than `maxOperations`. */
export function parseBulkRequest(body: Json, maxOperations: number): BulkRequest {
  if (!isObject(body)) throw toBadRequest('invalidSyntax', 'the body must be a JSON object');
  assertSchemas(readKey(body, 'schemas'), URN_BULK_REQUEST);
  const operations = readKey(body, 'Operations');
  if (!Array.isArray(operations) || operations.length === 0) {
    throw toBadRequest('invalidSyntax', '"Operations" must be a list of at least one operation');
  }
  if (operations.length > maxOperations) {
    throw new Refusal(413, `a bulk request takes at most ${maxOperations} operations (maxOperations)`);
  }
  const taken = new Set<string>();
  return {
    failOnErrors: toFailOnErrors(readKey(body, 'failOnErrors')),
    operations: operations.map((each: Json) => toOperation(each, taken)),
  };
}

function toFailOnErrors(value: Json | undefined): number {
  if (value === undefined || value === null) return Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw toBadRequest('invalidValue', '"failOnErrors" must be a whole number from 1');
}

/** `taken` holds the bulkIds of the operations before it. */
function toOperation(input: Json, taken: Set<string>): BulkOperation {
  const text = (name: string) => {
    const value = readKey(input, name);
    return typeof value === 'string' ? value : null;
  };
  const bulkId = text('bulkId');
  const operation = {
    method: text('method'),
    bulkId,
    version: text('version'),
    segments: toSegments(text('path')),
    data: readKey(input, 'data'),
  };
  const fault = findFault(operation, bulkId !== null && taken.has(bulkId));
  if (bulkId !== null) taken.add(bulkId);
  return { ...operation, refusal: fault ?? findDepthFault(operation.data) };
}

function toSegments(path: string | null): readonly string[] {
  if (path === null || !path.startsWith('/')) return [];
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return [];
  }
}

function findFault(operation: Omit<BulkOperation, 'refusal'>, isTaken: boolean): Refusal | null {
  const { method, bulkId, segments, data } = operation;
  if (method === null || !METHODS.has(method)) {
    return toBadRequest('invalidSyntax', '"method" must be POST, PUT, PATCH or DELETE');
  }
  if (!isResourcePath(method, segments)) {
    const form = method === 'POST' ? '/Users or /Groups' : '/Users/<id> or /Groups/<id>';
    return toBadRequest('invalidPath', `the "path" of ${method} must be ${form}`);
  }
  if (isTaken) return toBadRequest('invalidValue', `another operation has the bulkId ${JSON.stringify(bulkId)}`);
  if (method === 'POST' && (bulkId === null || bulkId === '')) {
    return toBadRequest('invalidSyntax', 'POST needs a "bulkId"');
  }
  if (method !== 'DELETE' && !isObject(data)) return toBadRequest('invalidSyntax', `${method} needs "data"`);
  return null;
}

function isResourcePath(method: string, segments: readonly string[]): boolean {
  const [collection = '', id] = segments;
  if (!/^(?:users|groups)$/i.test(collection)) return false;
  if (method === 'POST') return segments.length === 1;
  return segments.length === 2 && id !== '' && id !== '.search';
}

/** What is searched for references must not exhaust the stack. */
function findDepthFault(data: Json | undefined): Refusal | null {
  try {
    assertShallow(data ?? null);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** `bulkId:x` as a whole text, or at the end of a URI, or in quotes in the path of a PATCH. */
const REFERENCE = /^(|.*\/)bulkId:([^"/]+)$/;
const QUOTED = /"bulkId:([^"/]+)"/g;

/** The bulkIds that the operation refers to, in its data or its path. */
export function listReferences({ data, segments }: BulkOperation): Set<string> {
  const found = new Set<string>();
  const collect = (bulkId: string) => {
    found.add(bulkId);
    return bulkId;
  };
  convertTexts([...segments, data ?? null], (text) => replaceReferences(text, collect));
  return found;
}

/** The operation with each reference replaced by what `toId` gives for it. */
export function resolveReferences(operation: BulkOperation, toId: (bulkId: string) => string): BulkOperation {
  const convert = (text: string) => replaceReferences(text, toId);
  const { segments, data } = operation;
  return {
    ...operation,
    segments: segments.map(convert),
    data: data === undefined ? undefined : convertTexts(data, convert),
  };
}

function replaceReferences(text: string, toId: (bulkId: string) => string): string {
  const [, before, bulkId] = REFERENCE.exec(text) ?? [];
  if (bulkId !== undefined) return `${before}${toId(bulkId)}`;
  return text.replace(QUOTED, (_match, quoted: string) => JSON.stringify(toId(quoted)));
}

function convertTexts(value: Json, convert: (text: string) => string): Json {
  if (typeof value === 'string') return convert(value);
  if (Array.isArray(value)) return value.map((each: Json) => convertTexts(each, convert));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, convertTexts(each, convert)]));
}
