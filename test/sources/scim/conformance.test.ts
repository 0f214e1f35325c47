import { NAMELESS } from '../../conformance/http-directory.ts';
import { describeSource, type SampleGroup, type SamplePerson } from '../../conformance/source.ts';
import { describeHttpSource } from '../../conformance/source-over-http.ts';
import { type ScimDirectory, startScimDirectory } from '../../support/scim-directory-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectScim } from './connect.ts';

const toUser = ({ id, active, attributes }: SamplePerson) => ({ id, active, ...attributes });

const toGroup = ({ id, displayName, members }: SampleGroup) => ({
  id,
  displayName,
  members: members.map((value) => ({ value, type: 'User' })),
});

async function start(content: Partial<Pick<ScimDirectory, 'users' | 'groups'>>) {
  const directory = await startScimDirectory(content);
  const http = createTestClient();
  const close = async (): Promise<void> => {
    http.close();
    await directory.close();
  };
  return { directory, source: await connectScim(directory, http), close };
}

describeSource('SCIM', {
  unsupported: { S8: 'its pages are no snapshot; a list that changes is read again', S13: 'photos are not read' },
  seedGroups: async (people, groups) => {
    const { directory, source, close } = await start({ users: people.map(toUser), groups: groups.map(toGroup) });
    return {
      source,
      truncate: async () => {
        directory.server.fault = ({ path }) => (path === '/scim/v2/Groups' ? 'half' : null);
      },
      breakGroup: async (id) => {
        directory.groups = directory.groups.map((each) => (each['id'] === id ? { ...each, members: [{}] } : each));
      },
      close,
    };
  },
  countsGone: true,
  seedChanges: async (people, groups) => {
    const meta = { lastModified: '2026-01-05T08:00:00.250Z' };
    const users = people.map((person) => ({ ...toUser(person), meta }));
    const { directory, source, close } = await start({ users, groups: groups.map(toGroup) });
    let broken: string | null = null;
    return {
      source,
      change: async (nowPeople, nowGroups) => {
        const some = nowPeople.map((person) => ({
          ...toUser(person),
          ...(person.id === broken ? { id: '' } : {}),
        }));
        directory.change({ users: some, groups: nowGroups.map(toGroup) });
      },
      expire: async () => {
        directory.filters = 'never';
        directory.server.fault = ({ path, query }) => {
          // From then on it takes filters again.
          if (path === '/scim/v2/Users' && !query.has('filter') && query.get('count') !== '1')
            directory.filters = 'rightly';
          return null;
        };
      },
      truncate: async () => {
        directory.server.fault = ({ query }) => (query.has('filter') ? 'half' : null);
      },
      breakRecord: async (id) => {
        broken = id;
      },
      close,
    };
  },
  seed: async (people) => {
    const { directory, source, close } = await start({ users: people.map(toUser) });
    return {
      source,
      truncate: async () => {
        directory.server.fault = ({ query }) => (query.get('startIndex') === '101' ? 'half' : null);
      },
      remove: directory.close,
      breakRecord: async (id) => {
        directory.users = directory.users.map((each) => (each['id'] === id ? { ...each, id: '' } : each));
        directory.server.fault = ({ path }) =>
          path === `/scim/v2/Users/${id}` ? { status: 200, body: { displayName: 'no id' } } : null;
      },
      close,
    };
  },
});

describeHttpSource('SCIM', {
  unsupported: {},
  start: async () => {
    const directory = await startScimDirectory();
    directory.hidesMembers = true;
    return {
      server: directory.server,
      secrets: [directory.client.clientSecret, 'token-1'],
      connect: (http, credentials) =>
        connectScim(directory, http, credentials === 'wrong' ? { token: 'wrong' } : directory.client),
      layOut: (pages, next) => {
        const laidOut = pages.map((page) =>
          page.map((each) => (each === NAMELESS ? { displayName: 'Nobody' } : toUser(each))),
        );
        directory.layout = { pages: laidOut, ...(next === undefined ? {} : { next }) };
        directory.users = laidOut.flat();
      },
      isForPeople: ({ path }) => path === '/scim/v2/Users',
      declare: (total) => {
        directory.declared = total;
      },
      expireTokens: directory.expireTokens,
      setGroups: (groups) => {
        directory.groups = groups.map(toGroup);
      },
      isForMembers: ({ path }, group) => path === `/scim/v2/Groups/${group}`,
    };
  },
});
