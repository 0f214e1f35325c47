/**
 * The CEL library, loaded when the first expression is compiled: it takes a third of a second and thirty megabytes, which
 * nobody should pay who writes no CEL.
 */
import { createRequire } from 'node:module';
import type * as Cel from '@bufbuild/cel';
import type * as Extensions from '@bufbuild/cel/ext';

export type { CelFunc, CelInput, CelList, CelType, CelValue } from '@bufbuild/cel';
export type CelExpr = ReturnType<typeof Cel.parse>['expr'];

export interface CelLibrary extends Pick<typeof Cel, LibraryName> {
  /** Of the strings extension, as the library has it. */
  readonly strings: typeof Extensions.strings;
}

type LibraryName =
  | 'parse'
  | 'plan'
  | 'celEnv'
  | 'celFunc'
  | 'celMethod'
  | 'celList'
  | 'CelScalar'
  | 'listType'
  | 'mapType'
  | 'isCelError'
  | 'isCelList'
  | 'isCelMap'
  | 'isCelUint'
  | 'isCelType';

let loaded: CelLibrary | null = null;

export function loadLibrary(): CelLibrary {
  if (loaded !== null) return loaded;
  const require = createRequire(import.meta.url);
  const library = require('@bufbuild/cel') as typeof Cel;
  const { strings } = require('@bufbuild/cel/ext') as typeof Extensions;
  loaded = { ...library, strings };
  return loaded;
}
