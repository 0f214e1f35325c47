/** The standard attributes: given by every source for every user, by one name whatever the provider calls them. */
import type { Json, SourceUser } from '../model.ts';

/** Names in the source record that a standard attribute is read from: the first that is not empty counts. */
interface StandardAttribute {
  /** Empty: it is part of the record itself and always known. */
  readonly sources: readonly string[];
  readonly read: (user: SourceUser) => Json;
}

function firstOf(sources: readonly string[]): StandardAttribute {
  return {
    sources,
    read: (user) => {
      for (const name of sources) {
        const value = Object.hasOwn(user.attributes, name) ? user.attributes[name] : null;
        if (value !== undefined && value !== null && value !== '') return value;
      }
      return null;
    },
  };
}

const OF_THE_RECORD: Readonly<Record<string, StandardAttribute>> = {
  idp_id: { sources: [], read: (user) => user.id },
  state: { sources: [], read: (user) => (user.active ? 'active' : 'inactive') },
  // Entra's name for it, offered by every provider so that mappings made there can be carried over.
  IsSoftDeleted: { sources: [], read: (user) => !user.active },
};

const BY_PROVIDER: Readonly<Record<string, Readonly<Record<string, StandardAttribute>>>> = {
  file: {
    email: firstOf(['email', 'mail']),
    first_name: firstOf(['first_name']),
    last_name: firstOf(['last_name']),
  },
};

/** Undefined: there is no standard attribute of this name. */
export function findStandardAttribute(provider: string, name: string): StandardAttribute | undefined {
  if (Object.hasOwn(OF_THE_RECORD, name)) return OF_THE_RECORD[name];
  const ofProvider = BY_PROVIDER[provider];
  return ofProvider !== undefined && Object.hasOwn(ofProvider, name) ? ofProvider[name] : undefined;
}

export const STANDARD_NAMES: readonly string[] = [
  'idp_id',
  'state',
  'email',
  'first_name',
  'last_name',
  'IsSoftDeleted',
];
