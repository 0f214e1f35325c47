/** Colours and emphasis on a terminal; plain text everywhere else. */
import type { CliIo } from './io.ts';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

/** `NO_COLOR` with any value switches colours off (no-color.org). */
export function createStyle({ isTTY, env }: Pick<CliIo, 'isTTY' | 'env'>): Style {
  const isOn = isTTY.stdout && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const paint =
    (code: number, end: number) =>
    (text: string): string =>
      isOn && text !== '' ? `\u001b[${code}m${text}\u001b[${end}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), green: paint(32, 39), yellow: paint(33, 39), red: paint(31, 39) };
}
