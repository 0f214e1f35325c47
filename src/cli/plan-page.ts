/** What the parts of a plan's page share: its lines, its style, and how long lists are shortened. */
import type { FindName } from './plan-values.ts';
import type { SyncRun } from './run-sync.ts';
import type { Style } from './style.ts';
import { formatNumber } from './wording.ts';

export interface PlanPage {
  readonly run: SyncRun;
  /** Every person, every value. */
  readonly all: boolean;
  readonly style: Style;
  readonly findName: FindName;
  line(text?: string): Promise<void>;
}

/** Comes, changes, goes. */
export type Sign = '+' | '~' | '-';

export async function printTitle({ line, style }: PlanPage, title: string, count: number): Promise<void> {
  await line();
  await line(`${style.bold(title)} ${formatNumber(count)}`);
}

export async function printRest({ line, style }: PlanPage, rest: number, indent = '    '): Promise<void> {
  if (rest > 0) await line(`${indent}${style.dim(`… and ${formatNumber(rest)} more; --all shows them`)}`);
}

export function paint(style: Style, sign: Sign): string {
  return { '+': style.green, '~': style.yellow, '-': style.red }[sign](sign);
}
