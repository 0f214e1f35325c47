import type { Attributes } from '../model.ts';

/** Mail addresses among attributes by canonical path, as `emails[type eq "work"].value`. */
export function readMails(attributes: Attributes): readonly string[] {
  return Object.entries(attributes)
    .filter(([path]) => isMailPath(path))
    .flatMap(([, value]) => (typeof value === 'string' && value !== '' ? [value] : []));
}

export function isMailPath(path: string): boolean {
  return path.startsWith('emails[') && path.endsWith('].value');
}
