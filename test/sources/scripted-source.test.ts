/** The source that stories are told with keeps to the contract, so that what the engine makes of it says something. */
import { SyncError } from '../../src/errors.ts';
import { describeSource, type SamplePerson } from '../conformance/source.ts';
import { createFeed } from '../support/scripted-feed.ts';
import { change, createScriptedSource } from '../support/scripted-source.ts';
import { NO_FILES, NO_NETWORK } from './http-client.ts';

const HTTP = { send: () => Promise.reject(new Error('it needs no request')), sent: 0 };

const CONTEXT = { secrets: {}, where: '', files: NO_FILES, http: HTTP, network: NO_NETWORK, now: () => new Date(0) };

const toPerson = ({ id, active, attributes }: SamplePerson) => ({ id, active, ...attributes });

describeSource('scripted', {
  unsupported: { S8: 'it is told what to do between reads', S21: 'it is asked for changes' },
  seedGroups: async (people, groups) => {
    const script = createScriptedSource({ people: people.map(toPerson), groups });
    return {
      source: await script.provider.connect({}, CONTEXT),
      truncate: async () => {
        script.groupsEnd = new SyncError('ReadIncomplete', 'it broke off');
      },
      breakGroup: async (id) => {
        script.failedGroups = [{ id, code: 'ReadFailed', message: 'its members cannot be read' }];
      },
      close: async () => undefined,
    };
  },
  seedChanges: async (people, groups) => {
    const feed = createFeed();
    const script = createScriptedSource({ people: people.map(toPerson), groups, feed, pageSize: 10 });
    return {
      source: await script.provider.connect({}, CONTEXT),
      change: async (nowPeople, nowGroups) => change(script, { people: nowPeople.map(toPerson), groups: nowGroups }),
      expire: async () => {
        feed.oldest = feed.log.length;
        feed.log.push({ type: 'userRemoved', id: 'long-gone' });
      },
      truncate: async () => {
        feed.failsAfter = { pages: 1, error: new SyncError('ReadIncomplete', 'it broke off') };
      },
      breakRecord: async (id) => {
        feed.failed = [{ id, code: 'RecordInvalid', message: 'it cannot be read' }];
      },
      close: async () => undefined,
    };
  },
  seedPhotos: async (people) => {
    const photos = { url: null, bytes: true, needs: null };
    const script = createScriptedSource({
      people: people.map(toPerson),
      offers: { appRoles: false, defaultDomain: false, photos },
    });
    return {
      source: await script.provider.connect({}, CONTEXT),
      setPhoto: async (id, bytes) => {
        if (bytes === null) script.photos.delete(id);
        else script.photos.set(id, bytes);
      },
      breakPhoto: async (id) => {
        script.photos.set(id, new SyncError('ReadFailed', 'it cannot be read'));
      },
      close: async () => undefined,
    };
  },
  seed: async (people) => {
    const script = createScriptedSource({ people: people.map(toPerson), answersOne: true });
    return {
      source: await script.provider.connect({}, CONTEXT),
      truncate: async () => {
        script.failsAfter = { pages: 3, error: new SyncError('ReadIncomplete', 'it broke off') };
      },
      remove: async () => {
        script.failsAfter = { pages: 0, error: new SyncError('ReadFailed', 'it is away') };
      },
      breakRecord: async (id) => {
        script.failed = [{ id, code: 'RecordInvalid', message: 'it cannot be read' }];
      },
      close: async () => undefined,
    };
  },
});
