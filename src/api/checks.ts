/** What a schema cannot say of one resource: ordered lists of small questions, each answered without looking elsewhere. */
import { Cron } from 'croner';
import { IDENTIFIER_EXPECTED, IDENTIFIER_PATTERN } from './custom-attribute.ts';
import { toAttributeName } from './defaults.ts';
import { ADOPT_FROM_RULE } from './identity.ts';
import type { Finding } from './messages.ts';
import type { Kind } from './metadata.ts';
import type { ResourceByKind } from './resources.ts';

type Check<K extends Kind> = (resource: ResourceByKind[K]) => Finding | null;

const DIRECTORY_SYNC_CHECKS: readonly Check<'DirectorySync'>[] = [
  checkTimeZone, // first, because croner's message about it names the expression
  checkCron,
  checkIdAttribute,
  checkAdoptFrom,
];

const CUSTOM_ATTRIBUTE_CHECKS: readonly Check<'CustomAttribute'>[] = [checkDefaultName];

export const RESOURCE_CHECKS: { readonly [K in Kind]: (resource: ResourceByKind[Kind]) => Finding[] } = {
  DirectorySync: (resource) => run(DIRECTORY_SYNC_CHECKS, resource as ResourceByKind['DirectorySync']),
  AttributeMapping: () => [],
  TeamRule: () => [],
  CustomAttribute: (resource) => run(CUSTOM_ATTRIBUTE_CHECKS, resource as ResourceByKind['CustomAttribute']),
};

function run<K extends Kind>(checks: readonly Check<K>[], resource: ResourceByKind[K]): Finding[] {
  return checks.flatMap((check) => check(resource) ?? []);
}

function toError(pointer: string, message: string): Finding {
  return { severity: 'error', pointer, onKey: false, message };
}

function checkTimeZone({ spec }: ResourceByKind['DirectorySync']): Finding | null {
  const timeZone = spec.schedule?.cron?.timeZone;
  if (timeZone === undefined || isTimeZone(timeZone)) return null;
  return toError(
    '/spec/schedule/cron/timeZone',
    `spec.schedule.cron.timeZone: "${timeZone}" is no time zone; write an IANA name such as Europe/Belfast`,
  );
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** croner is what the loop runs by: what it takes is what will run. A time that never comes is an error too. */
function checkCron({ spec }: ResourceByKind['DirectorySync']): Finding | null {
  const expression = spec.schedule?.cron?.expression;
  if (expression === undefined) return null;
  const pointer = '/spec/schedule/cron/expression';
  const say = `spec.schedule.cron.expression: "${expression}"`;
  if (!/^\S+(\s+\S+){4,5}$/.test(expression.trim())) {
    return toError(pointer, `${say} must have five fields: minute, hour, day of month, month, day of week`);
  }
  try {
    const next = new Cron(expression, { paused: true, timezone: 'UTC' }).nextRun();
    return next === null ? toError(pointer, `${say} names a time that never comes`) : null;
  } catch {
    return toError(pointer, `${say} is no cron expression; write for example "0 6 * * 1" (Mondays at six)`);
  }
}

/** What a person is recognised by must not change when they marry. */
function checkIdAttribute({ spec }: ResourceByKind['DirectorySync']): Finding | null {
  const name = spec.source.file?.idAttribute;
  if (name === undefined || !/^(e-?mail|mail|upn|userPrincipalName)$/i.test(name)) return null;
  return {
    severity: 'warning',
    pointer: '/spec/source/file/idAttribute',
    onKey: false,
    message: `spec.source.file.idAttribute: "${name}" changes with a person's name, who is then deactivated and created again; take an id that never changes`,
  };
}

function checkAdoptFrom(resource: ResourceByKind['DirectorySync']): Finding | null {
  return ADOPT_FROM_RULE.holds(resource) ? null : toError('/spec/adoptFrom', ADOPT_FROM_RULE.message);
}

function checkDefaultName({ metadata, spec }: ResourceByKind['CustomAttribute']): Finding | null {
  const name = toAttributeName(metadata.name);
  if (spec.name !== undefined || spec.predefined !== undefined || new RegExp(IDENTIFIER_PATTERN).test(name))
    return null;
  return toError('/spec', `spec.name is needed: its default would be "${name}", but it must be ${IDENTIFIER_EXPECTED}`);
}
