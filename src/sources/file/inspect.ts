/** What `dirsync check source` shows of files: each is read to its end, for one that breaks off shows it nowhere else. */
import { type Inspection, type Look, tryLooks, watchClock } from '../inspection.ts';
import type { SourceContext, SourceFinding } from '../source.ts';
import { openSpot } from './client.ts';
import { type FileLocation, type FileSourceConfig, toFormat, toLabel } from './config.ts';
import { readGroupPages, readUserPages, STATE_ATTRIBUTES } from './read.ts';

export async function* inspect(
  { config, context }: { readonly config: FileSourceConfig; readonly context: SourceContext },
  { use: { projection, groups } }: Pick<Inspection, 'use'>,
  signal: AbortSignal,
): AsyncGenerator<SourceFinding> {
  const clock = watchClock(context);
  const looking: Looking = {
    config,
    projection,
    context: { ...context, http: clock.http, allowHTTP: config.allowHTTP ?? false },
    names: new Set(),
  };
  let hasErrors = false;
  for await (const finding of tryLooks(listLooks(looking, groups), signal)) {
    hasErrors ||= finding.verdict === 'error';
    yield finding;
  }
  const ofClock = clock.finding();
  if (ofClock !== null) yield ofClock;
  if (hasErrors) return;
  if (STATE_ATTRIBUTES.some((name) => looking.names.has(name))) return;
  const message = `nobody has ${STATE_ATTRIBUTES.join(' or ')}: everybody who is there counts as active, and leaves by being taken out`;
  yield { verdict: 'ok', about: 'state', message };
}

interface Looking {
  readonly config: FileSourceConfig;
  readonly projection: readonly string[];
  readonly context: Parameters<typeof openSpot>[1];
  /** Of attributes of people; filled by the look at them. */
  readonly names: Set<string>;
}

function* listLooks(looking: Looking, withGroups: boolean): Generator<Look> {
  const { groups } = looking.config;
  yield { about: 'people', run: (signal) => lookAtPeople(looking, signal) };
  if (withGroups && groups !== undefined)
    yield { about: 'groups', run: (signal) => lookAtGroups(looking, groups, signal) };
}

async function lookAtPeople({ config, context, projection, names }: Looking, signal: AbortSignal): Promise<string> {
  const spot = openSpot(config.users, context);
  let count = 0;
  let inactive = 0;
  for await (const { users, end } of readUserPages(spot, config, { projection, signal })) {
    count += users.length;
    inactive += users.filter(({ active }) => !active).length;
    for (const name of end?.attributes ?? []) names.add(name);
  }
  return `${count} in ${describeFile(config, config.users)}, ${inactive} of them inactive`;
}

async function lookAtGroups(
  { config, context, projection }: Looking,
  location: FileLocation,
  signal: AbortSignal,
): Promise<string> {
  const spot = openSpot(location, context);
  let count = 0;
  let members = 0;
  for await (const page of readGroupPages(spot, { config, location }, { projection, signal })) {
    count += page.groups.length;
    for (const part of page.members) members += part.members.length;
  }
  return `${count} in ${describeFile(config, location)}, with ${members} members`;
}

function describeFile(config: FileSourceConfig, location: FileLocation): string {
  const { sftp, credentialsRef } = location;
  const credentials = sftp !== undefined || credentialsRef !== undefined ? 'the credentials are taken' : null;
  const host = sftp === undefined ? null : 'the host has the key of hostKey';
  const details = [toFormat(config, location) ?? null, host, credentials].filter((each) => each !== null);
  return `${toLabel(location)} (${details.join('; ')}), read to its end`;
}
