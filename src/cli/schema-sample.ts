/** What `dirsync schema` found, as JSON: printed by `-o json`, written by `--save` and read back by `--sample`. */
import { readFile, stat } from 'node:fs/promises';
import { type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SyncError } from '../errors.ts';
import type { AttributeNode } from '../mapping/attribute-tree.ts';
import type { SourceShape } from '../reconcile/schema.ts';
import { type CliIo, toPath } from './io.ts';

export interface SourceSample extends SourceShape {
  /** `namespace/name`. */
  readonly directorySync: string;
}

/** Raised when older files cannot be read any more. Without a `kind` no folder takes the file for a manifest. */
const FORM = 1;

const Count = Type.Integer({ minimum: 0 });

const NodeSchema: TSchema = Type.Recursive((This) =>
  Type.Object({
    path: Type.String({ minLength: 1 }),
    types: Type.Array(Type.String()),
    people: Count,
    sample: Type.Union([Type.String(), Type.Null()]),
    attributes: Type.Array(This),
  }),
);

const SampleSchema = Type.Object({
  sourceSchema: Type.Literal(FORM),
  directorySync: Type.String(),
  provider: Type.String(),
  people: Count,
  isWhole: Type.Boolean(),
  failed: Count,
  isCut: Type.Boolean(),
  findings: Type.Array(
    Type.Object({
      verdict: Type.Union([Type.Literal('ok'), Type.Literal('warning'), Type.Literal('error')]),
      about: Type.String(),
      message: Type.String(),
    }),
  ),
  attributes: Type.Array(NodeSchema),
});

/** The tree below what is said of the read; one attribute a line, so that two of them can be compared. */
export function formatSample({ attributes, ...rest }: SourceSample): string {
  const { directorySync, provider, people, isWhole, failed, isCut, findings } = rest;
  const head = { sourceSchema: FORM, directorySync, provider, people, isWhole, failed, isCut, findings };
  const text = JSON.stringify(head, null, 2).slice(0, -2);
  return `${text},\n  "attributes": ${formatNodes(attributes, '  ')}\n}\n`;
}

function formatNodes(nodes: readonly AttributeNode[], indent: string): string {
  if (nodes.length === 0) return '[]';
  const inner = `${indent}  `;
  const lines = nodes.map(({ attributes, path, types, people, sample }) => {
    const own = JSON.stringify({ path, types, people, sample }).slice(0, -1);
    return `${inner}${own},"attributes":${formatNodes(attributes, inner)}}`;
  });
  return `[\n${lines.join(',\n')}\n${indent}]`;
}

/** There are at most 10,000 attributes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** @throws SyncError `Invalid` for a file that is not there, or that `--save` has not written */
export async function readSample(io: CliIo, file: string): Promise<SourceSample> {
  const data = parse(await readText(toPath(io, file), file), file);
  const error = Value.Errors(SampleSchema, data).First();
  if (error === undefined) return data as SourceSample;
  const where = error.path === '' ? '' : ` (${error.path}: ${error.message})`;
  throw new SyncError('Invalid', `--sample: ${file} is none that dirsync schema --save has written${where}`);
}

async function readText(path: string, file: string): Promise<string> {
  try {
    if ((await stat(path)).size <= MOST_BYTES) return await readFile(path, 'utf8');
  } catch {
    throw new SyncError('Invalid', `--sample: ${file} cannot be read`);
  }
  throw new SyncError('Invalid', `--sample: ${file} is larger than any that dirsync schema --save writes`);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyncError('Invalid', `--sample: ${file} is no JSON`);
  }
}
