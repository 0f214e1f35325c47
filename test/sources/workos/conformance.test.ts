import type { Json } from '../../../src/model.ts';
import { NAMELESS } from '../../conformance/http-directory.ts';
import { describeSource, type SampleGroup, type SamplePerson } from '../../conformance/source.ts';
import { describeHttpSource } from '../../conformance/source-over-http.ts';
import { emit, startWorkos, toWorkosUser, type WorkosGroup, type WorkosServer } from '../../support/workos-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectWorkos } from './connect.ts';

function toUser({ id, active, attributes }: SamplePerson): ReturnType<typeof toWorkosUser> {
  const { mail = null } = attributes as Readonly<Record<string, Json>>;
  return toWorkosUser(id, { email: mail, state: active ? 'active' : 'inactive', custom_attributes: attributes });
}

const toGroup = ({ id, displayName, members }: SampleGroup): WorkosGroup => ({
  id: `directory_group_${id}`,
  idp_id: id,
  name: displayName,
  members,
});

async function start(content: Partial<Pick<WorkosServer, 'users' | 'groups'>>) {
  const workos = await startWorkos(content);
  const http = createTestClient();
  const close = async (): Promise<void> => {
    http.close();
    await workos.close();
  };
  return { workos, source: await connectWorkos(workos, http), close };
}

describeSource('WorkOS', {
  unsupported: {
    S8: 'its pages are no snapshot: who is edited meanwhile is there once, as before or as after',
    S13: 'it has no photos',
    S21: 'it tells what has changed, of everybody',
  },
  toName: (name) => `custom_attributes.${name}`,
  seedGroups: async (people, groups) => {
    const { workos, source, close } = await start({ users: people.map(toUser), groups: groups.map(toGroup) });
    return {
      source,
      truncate: async () => {
        workos.server.fault = ({ path }) => (path === '/directory_groups' ? 'half' : null);
      },
      breakGroup: async (id) => {
        workos.server.fault = ({ query }) =>
          query.get('group') === `directory_group_${id}` ? { status: 404, body: {} } : null;
      },
      close,
    };
  },
  seedChanges: async (people, groups) => {
    const { workos, source, close } = await start({ users: people.map(toUser), groups: groups.map(toGroup) });
    let broken: string | null = null;
    const happen = (): void => emit(workos, 'dsync.deleted', { id: 'directory_of_others', state: 'deleting' });
    happen();
    return {
      source,
      change: async (nowPeople, nowGroups) => {
        const users = nowPeople.map((person) =>
          person.id === broken ? { ...toUser(person), state: 'on leave' } : toUser(person),
        );
        workos.change({ users, groups: nowGroups.map(toGroup) });
      },
      expire: async () => {
        workos.oldest = workos.events.length;
        happen();
      },
      truncate: async () => {
        workos.server.fault = ({ path }) => (path === '/events' ? 'half' : null);
      },
      breakRecord: async (id) => {
        broken = id;
      },
      close,
    };
  },
  seed: async (people) => {
    const { workos, source, close } = await start({ users: people.map(toUser) });
    return {
      source,
      truncate: async () => {
        workos.server.fault = ({ query }) => (query.has('after') ? 'half' : null);
      },
      remove: workos.close,
      breakRecord: async (id) => {
        workos.users = workos.users.map((user) => (user.idp_id === id ? { ...user, state: 'on leave' } : user));
      },
      close,
    };
  },
});

describeHttpSource('WorkOS', {
  unsupported: { tokens: 'an API key does not end by itself' },
  start: async () => {
    const workos = await startWorkos();
    return {
      server: workos.server,
      secrets: [workos.apiKey],
      connect: (http, credentials) =>
        connectWorkos(credentials === 'wrong' ? { ...workos, apiKey: 'sk_test_wrong' } : workos, http),
      layOut: (pages, next) => {
        const nameless = { ...toWorkosUser('nobody'), idp_id: null };
        const laidOut = pages.map((page) => page.map((each) => (each === NAMELESS ? nameless : toUser(each))));
        workos.layout = { pages: laidOut, ...(next === undefined ? {} : { next }) };
        workos.users = pages.flat().flatMap((each) => (each === NAMELESS ? [] : [toUser(each)]));
      },
      isForPeople: ({ path, query }) => path === '/directory_users' && query.has('directory') && !query.has('idp_id'),
      declare: (total) => {
        workos.declared = total;
      },
      setGroups: (groups) => {
        workos.groups = groups.map(toGroup);
      },
      isForMembers: ({ query }, group) => query.get('group') === `directory_group_${group}`,
    };
  },
});
