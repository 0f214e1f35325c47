/** What the Directory API says in a refusal: a quota, a permission, or something that is not there. Pure. */
import { SyncError } from '../../errors.ts';
import type { HttpResponse } from '../../http/client.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type Area, SCOPES } from './scopes.ts';

/** What is asked for, as messages call it → what the token must be good for. */
export const AREAS = {
  'the administrator': 'users',
  'the list of people': 'users',
  'one person': 'users',
  'a photo': 'users',
  'the list of groups': 'groups',
  'the members of a group': 'members',
} as const satisfies Readonly<Record<string, Area>>;
export type Subject = keyof typeof AREAS;

/** With 403 or 429, by the age of the interface. https://developers.google.com/admin-sdk/directory/v1/limits */
const QUOTAS = new Set(['userRateLimitExceeded', 'quotaExceeded', 'rateLimitExceeded']);
const DAILY = new Set(['dailyLimitExceeded', 'dailyLimitExceededUnreg']);
/** A day's quota is not back in minutes. */
const DAILY_WAIT_MS = 3_600_000;

/** The privilege of an administrator that each needs, as the Admin console calls it. */
const PRIVILEGES: Readonly<Record<Area, string>> = {
  users: 'Users > Read',
  groups: 'Groups > Read',
  members: 'Groups > Read',
};

/** A quota that is there again soon. */
export function isThrottled(response: HttpResponse): boolean {
  return response.status === 403 && readReasons(response).some((reason) => QUOTAS.has(reason));
}

/** Null: it means what it means everywhere. */
export function explain(response: HttpResponse, { what, origin }: { what: Subject; origin: string }): SyncError | null {
  const { status } = response;
  const reasons = readReasons(response);
  const said = `(${[status, ...reasons.slice(0, 1)].join(' ')})`;
  if (reasons.some((reason) => DAILY.has(reason))) {
    const message = `${origin} gives the project of the service account no more answers today ${said}`;
    return new SyncError('ReadFailed', message, { retry: { afterMs: DAILY_WAIT_MS } });
  }
  const [reason] = reasons;
  if (status === 403 && reason !== undefined && !isThrottled(response))
    return new SyncError('CredentialsRejected', `${origin} ${toDenial(reason, what, said)}`);
  const isAbsent = status === 404;
  if ((status === 400 || isAbsent) && (what === 'the list of people' || what === 'the list of groups')) {
    const message = `${origin} refuses the request for ${what} ${said}; check customer and domain`;
    return new SyncError('ReadFailed', message);
  }
  if (isAbsent && (what === 'one person' || what === 'a photo') && !isSurelyAbsent(response, what))
    return new SyncError('ReadFailed', `${origin} does not say whether there is ${what} ${said}`);
  return null;
}

function toDenial(reason: string, what: Subject, said: string): string {
  switch (reason) {
    case 'accessNotConfigured':
      return `does not serve the project of the service account ${said}: enable the Admin SDK API there, in the Google Cloud console`;
    case 'domainCannotUseApis':
      return `does not serve this directory ${said}: an administrator must allow access by API in the Admin console`;
    default: {
      const area = AREAS[what];
      return `does not let the administrator of adminEmail read ${what} ${said}: they need a role with the privilege ${PRIVILEGES[area]}, the client ID of the service account needs the scope ${SCOPES[area]}, and customer or domain must be theirs`;
    }
  }
}

/** Where a person cannot be found now the photo gets the same answer, and only its text tells which. */
function isSurelyAbsent({ body }: HttpResponse, what: 'one person' | 'a photo'): boolean {
  if (!readReasons({ body }).includes('notFound')) return false;
  return what === 'one person' || !/userKey/i.test(String(readError(body)?.['message'] ?? ''));
}

/** The `reason`s of an error; empty where the answer has none. Texts of errors may name people, and are not stable. */
function readReasons({ body }: Pick<HttpResponse, 'body'>): readonly string[] {
  const errors = readError(body)?.['errors'];
  return (Array.isArray(errors) ? (errors as readonly Json[]) : []).flatMap((each) => {
    const reason = isObject(each) ? each['reason'] : undefined;
    return typeof reason === 'string' && /^\w{1,64}$/.test(reason) ? [reason] : [];
  });
}

function readError(body: string): Readonly<Record<string, Json>> | null {
  try {
    const value: unknown = JSON.parse(body);
    const error = isObject(value) ? value['error'] : undefined;
    return isObject(error) ? error : null;
  } catch {
    return null;
  }
}
