/** What a request says of who asks: a fixed `Authorization` header, or tokens that are renewed when they are refused. */
import { SyncError } from '../errors.ts';
import type { LastResponse } from './client.ts';
import { type ClientCredentials, type ClientTokenOptions, createClientTokens } from './client-credentials.ts';
import type { HttpCredentials } from './credentials.ts';
import type { TokenSource } from './token-source.ts';

/** Gives the `Authorization` header. */
export interface Authorizer {
  get(signal: AbortSignal): Promise<string>;
  /** This one was refused. False: there will be no other. */
  renew(authorization: string): boolean;
}

/** @param authorization the whole value, as `Bearer …` */
export function toStaticAuthorizer(authorization: string): Authorizer {
  return { get: async () => authorization, renew: () => false };
}

/** Tokens of an OAuth client are fetched when the first one is needed. */
export function createAuthorizer(
  credentials: HttpCredentials,
  options: Omit<ClientTokenOptions, keyof ClientCredentials>,
): Authorizer {
  if (credentials.kind === 'Static') return toStaticAuthorizer(credentials.authorization);
  return toTokenAuthorizer(createClientTokens({ ...credentials, ...options }));
}

export function toTokenAuthorizer(tokens: TokenSource): Authorizer {
  return {
    get: async (signal) => `Bearer ${await tokens.get(signal)}`,
    renew(authorization) {
      tokens.drop(authorization.slice('Bearer '.length));
      return true;
    },
  };
}

/**
 * The answer to a request, sent once more with a fresh token where the first one was refused with 401: refused means not
 * carried out. What earlier attempts may have done is part of the answer, or of the error.
 */
export async function sendAuthorized(
  authorizer: Authorizer,
  send: (authorization: string) => Promise<LastResponse>,
  signal: AbortSignal,
): Promise<LastResponse> {
  const authorization = await authorizer.get(signal);
  const response = await send(authorization);
  if (response.status !== 401 || !authorizer.renew(authorization)) return response;
  try {
    const again = await send(await authorizer.get(signal));
    return { ...again, mayBeDone: again.mayBeDone || response.mayBeDone };
  } catch (thrown) {
    throw response.mayBeDone ? SyncError.ofUnknownOutcome(thrown) : thrown;
  }
}
