import { generateKeyPairSync } from 'node:crypto';
import { NAMELESS } from '../../conformance/http-directory.ts';
import { describeSource, type SampleGroup, type SamplePerson } from '../../conformance/source.ts';
import { describeHttpSource } from '../../conformance/source-over-http.ts';
import {
  type GoogleGroup,
  type GoogleServer,
  type GoogleUser,
  refuse,
  startGoogle,
  toGoogleUser,
  toServiceAccount,
} from '../../support/google-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectGoogle } from './connect.ts';

const DIRECTORY = '/admin/directory/v1';

function toUser({ id, active, attributes }: SamplePerson): GoogleUser {
  const { mail = '', displayName = '', ...rest } = attributes;
  return toGoogleUser(id, {
    primaryEmail: mail,
    name: { fullName: displayName },
    suspended: !active,
    customSchemas: { Sample: rest },
  });
}

const PATHS: Readonly<Record<string, string>> = { mail: 'primaryEmail', displayName: 'name.fullName' };

const toGroup = ({ id, displayName, members }: SampleGroup): GoogleGroup => ({
  id,
  name: displayName,
  members: members.map((member) => ({ id: member, type: 'USER' })),
});

async function start(content: Partial<Pick<GoogleServer, 'users' | 'groups'>>) {
  const google = await startGoogle({ ...content, mostOfPage: 400 });
  const http = createTestClient();
  const close = async (): Promise<void> => {
    http.close();
    await google.close();
  };
  return { google, source: await connectGoogle(google, http), close };
}

describeSource('Google', {
  unsupported: { S8: 'its pages are no snapshot: who is edited meanwhile is there once, as before or as after' },
  toWanted: (department) => [[{ path: 'customSchemas.Sample.department', values: [department] }]],
  toName: (name) => PATHS[name] ?? `customSchemas.Sample.${name}`,
  seedGroups: async (people, groups) => {
    const { google, source, close } = await start({ users: people.map(toUser), groups: groups.map(toGroup) });
    return {
      source,
      truncate: async () => {
        google.server.fault = ({ path }) => (path === `${DIRECTORY}/groups` ? 'half' : null);
      },
      breakGroup: async (id) => {
        google.server.fault = ({ path }) =>
          path === `${DIRECTORY}/groups/${id}/members` ? refuse(404, 'notFound', 'Resource Not Found: groupKey') : null;
      },
      close,
    };
  },
  seedPhotos: async (people) => {
    const { google, source, close } = await start({ users: people.map(toUser) });
    let version = 0;
    return {
      source,
      setPhoto: async (id, bytes) => {
        version += 1;
        if (bytes === null) google.photos.delete(id);
        else google.photos.set(id, { etag: `"${version}"`, bytes });
      },
      breakPhoto: async (id) => {
        google.server.fault = ({ path }) =>
          path === `${DIRECTORY}/users/${id}/photos/thumbnail`
            ? refuse(404, 'notFound', 'Resource Not Found: userKey')
            : null;
      },
      close,
    };
  },
  seed: async (people) => {
    const { google, source, close } = await start({ users: people.map(toUser) });
    return {
      source,
      truncate: async () => {
        google.server.fault = ({ query }) => (query.has('pageToken') ? 'half' : null);
      },
      remove: google.close,
      breakRecord: async (id) => {
        google.users = google.users.map((user) => (user.id === id ? { ...user, suspended: null } : user));
      },
      close,
    };
  },
});

const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

describeHttpSource('Google', {
  unsupported: {
    totals: 'it does not say how many people there are; the count of a group leaves out members of groups in it',
  },
  start: async () => {
    const google = await startGoogle();
    return {
      server: google.server,
      secrets: [google.serviceAccount, 'PRIVATE KEY', 'ya29.'],
      connect: (http, credentials) =>
        connectGoogle(
          credentials === 'wrong' ? { ...google, serviceAccount: toServiceAccount(another) } : google,
          http,
        ),
      layOut: (pages, next) => {
        const { id: _none, ...nameless } = toGoogleUser('nobody');
        const laidOut = pages.map((page) => page.map((each) => (each === NAMELESS ? nameless : toUser(each))));
        google.layout = { pages: laidOut, ...(next === undefined ? {} : { next }) };
        google.users = pages.flat().flatMap((each) => (each === NAMELESS ? [] : [toUser(each)]));
      },
      isForPeople: ({ path }) => path === `${DIRECTORY}/users`,
      expireTokens: google.expireTokens,
      setGroups: (groups) => {
        google.groups = groups.map(toGroup);
      },
      isForMembers: ({ path }, group) => path === `${DIRECTORY}/groups/${group}/members`,
    };
  },
});
