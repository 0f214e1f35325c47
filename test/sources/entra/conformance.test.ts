import { NAMELESS } from '../../conformance/http-directory.ts';
import { describeSource, type SampleGroup, type SamplePerson } from '../../conformance/source.ts';
import { describeHttpSource } from '../../conformance/source-over-http.ts';
import {
  type EntraServer,
  type GraphGroup,
  type GraphUser,
  startEntra,
  toGraphUser,
} from '../../support/entra-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectEntra } from './connect.ts';

/** Graph has no description of a person. */
const EXTENSION = 'onPremisesExtensionAttributes';

function toUser({ id, active, attributes: { description = '', ...attributes } }: SamplePerson): GraphUser {
  return toGraphUser(id, {
    ...attributes,
    accountEnabled: active,
    [EXTENSION]: { extensionAttribute1: description },
  });
}

const toGroup = ({ id, displayName, members }: SampleGroup): GraphGroup => ({
  id,
  displayName,
  members: members.map((member) => ({ id: member, type: 'user' })),
});

async function start(content: Partial<Pick<EntraServer, 'users' | 'groups'>>) {
  const entra = await startEntra({ ...content, mostOfPage: 400 });
  const http = createTestClient();
  const close = async (): Promise<void> => {
    http.close();
    await entra.close();
  };
  return { entra, source: await connectEntra(entra, http), close };
}

describeSource('Entra', {
  unsupported: {
    S8: 'its pages are no snapshot: who is edited meanwhile is there once, as before or as after',
    S21: 'it tells what has changed, of everybody',
  },
  toName: (name) => (name === 'description' ? `${EXTENSION}.extensionAttribute1` : name),
  seedGroups: async (people, groups) => {
    const { entra, source, close } = await start({ users: people.map(toUser), groups: groups.map(toGroup) });
    return {
      source,
      truncate: async () => {
        entra.server.fault = ({ path }) => (path === '/v1.0/groups' ? 'half' : null);
      },
      breakGroup: async (id) => {
        entra.server.fault = ({ path }) =>
          path === `/v1.0/groups/${id}/members` ? { status: 404, body: { error: { code: 'Gone' } } } : null;
      },
      close,
    };
  },
  seedPhotos: async (people) => {
    const { entra, source, close } = await start({ users: people.map(toUser) });
    let version = 0;
    return {
      source,
      setPhoto: async (id, bytes) => {
        version += 1;
        if (bytes === null) entra.photos.delete(id);
        else entra.photos.set(id, { etag: `"${version}"`, bytes });
      },
      breakPhoto: async (id) => {
        const body = { error: { code: 'Request_ResourceNotFound', message: 'x' } };
        entra.server.fault = ({ path }) => (path === `/v1.0/users/${id}/photo` ? { status: 404, body } : null);
      },
      close,
    };
  },
  seedChanges: async (people, groups) => {
    const broken = new Set<string>();
    const { entra, source, close } = await start({ users: people.map(toUser), groups: groups.map(toGroup) });
    return {
      source,
      change: async (now, others) =>
        entra.change({
          users: now.map((person) => ({
            ...toUser(person),
            ...(broken.has(person.id) ? { accountEnabled: null } : {}),
          })),
          groups: others.map(toGroup),
        }),
      expire: async () => entra.expireLinks('old'),
      truncate: async () => {
        entra.server.fault = ({ path }) => (path === '/v1.0/users/delta' ? 'half' : null);
      },
      breakRecord: async (id) => {
        broken.add(id);
      },
      close,
    };
  },
  seed: async (people) => {
    const { entra, source, close } = await start({ users: people.map(toUser) });
    return {
      source,
      truncate: async () => {
        entra.server.fault = ({ query }) => (query.has('$skiptoken') ? 'half' : null);
      },
      remove: entra.close,
      breakRecord: async (id) => {
        entra.users = entra.users.map((user) => (user.id === id ? { ...user, accountEnabled: null } : user));
      },
      close,
    };
  },
});

describeHttpSource('Entra', {
  unsupported: { totals: 'its counts are not up to date, and given only to whoever accepts that' },
  start: async () => {
    const entra = await startEntra();
    return {
      server: entra.server,
      secrets: [entra.clientSecret],
      connect: (http, credentials) =>
        connectEntra(credentials === 'wrong' ? { ...entra, clientSecret: 'wrong' } : entra, http),
      layOut: (pages, next) => {
        const { id: _none, ...nameless } = toGraphUser('nobody');
        const laidOut = pages.map((page) => page.map((each) => (each === NAMELESS ? nameless : toUser(each))));
        entra.layout = { pages: laidOut, ...(next === undefined ? {} : { next }) };
        entra.users = pages.flat().flatMap((each) => (each === NAMELESS ? [] : [toUser(each)]));
      },
      isForPeople: ({ path }) => path === '/v1.0/users',
      expireTokens: entra.expireTokens,
      setGroups: (groups) => {
        entra.groups = groups.map(toGroup);
      },
      isForMembers: ({ path }, group) => path === `/v1.0/groups/${group}/members`,
    };
  },
});
