/**
 * What it costs to read pages of people through each provider, against a bare loop of JSON.parse over the same pages: the
 * answers of a directory's interface are recorded once, and played back without a network.
 */
import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient, type HttpClient, type HttpRequest, type HttpResponse } from '../../src/http/client.ts';
import { exchange, type Transport } from '../../src/http/exchange.ts';
import type { Json } from '../../src/model.ts';
import type { Source } from '../../src/sources/source.ts';
import { connectEntra } from '../sources/entra/connect.ts';
import { connectGoogle } from '../sources/google/connect.ts';
import { connectScim } from '../sources/scim/connect.ts';
import { connectWorkos } from '../sources/workos/connect.ts';
import { startEntra, toGraphUser } from '../support/entra-server.ts';
import { startGoogle, toGoogleUser } from '../support/google-server.ts';
import { createManualTiming } from '../support/manual-timing.ts';
import { startScimDirectory } from '../support/scim-directory-server.ts';
import { startWorkos, toWorkosUser } from '../support/workos-server.ts';

/** A directory that runs in this process. */
interface Directory {
  readonly projection: readonly string[];
  connect(http: HttpClient): Promise<Source>;
  close(): Promise<void>;
}

const PEOPLE = 5_000;
const ROUNDS = 15;

interface Somebody {
  readonly id: string;
  readonly givenName: string;
  readonly surname: string;
  readonly mail: string;
  readonly jobTitle: string;
  readonly department: string;
}

function makePeople(): readonly Somebody[] {
  return Array.from({ length: PEOPLE }, (_, index) => ({
    id: `3f1c${String(index).padStart(6, '0')}-0b64-4a5e-9a3d-6f1b2a7c9e01`,
    givenName: `Given${index}`,
    surname: `Surname${index}`,
    mail: `given${index}.surname${index}@corp.example`,
    jobTitle: ['Engineer', 'Clerk', 'Buyer'][index % 3] ?? '',
    department: `Department ${index % 40}`,
  }));
}

const DIRECTORIES: Readonly<Record<string, (people: readonly Somebody[]) => Promise<Directory>>> = {
  async entra(people) {
    const mostly: Readonly<Record<string, Json>> = {
      ...{
        city: 'Belfast',
        companyName: 'Corp',
        country: 'GB',
        employeeType: 'Employee',
        mobilePhone: '+44 7700 900123',
      },
      ...{
        postalCode: 'BT1 5GS',
        preferredLanguage: 'en-GB',
        state: null,
        streetAddress: '1 High Street',
        userType: 'Member',
      },
    };
    const users = people.map(({ id, ...own }, index) =>
      toGraphUser(id, { ...mostly, ...own, manager: people[Math.floor(index / 10)]?.id ?? null }),
    );
    const entra = await startEntra({ users });
    const named = [
      'displayName',
      'givenName',
      'surname',
      'mail',
      'userPrincipalName',
      'jobTitle',
      'department',
      'manager',
    ];
    const projection = [...named, ...Object.keys(mostly)];
    return { projection, connect: (http) => connectEntra(entra, http), close: entra.close };
  },
  async google(people) {
    const users = people.map(({ id, givenName, surname, mail, jobTitle, department }) =>
      toGoogleUser(id, {
        primaryEmail: mail,
        name: { givenName, familyName: surname, fullName: `${givenName} ${surname}` },
        organizations: [{ title: jobTitle, department, primary: true }],
      }),
    );
    const google = await startGoogle({ users });
    const projection = ['primaryEmail', 'name', 'organizations', 'suspended'];
    return { projection, connect: (http) => connectGoogle(google, http), close: google.close };
  },
  async workos(people) {
    const users = people.map(({ id, givenName, surname, mail, jobTitle, department }) =>
      toWorkosUser(id, {
        ...{ first: givenName, last: surname, email: mail },
        custom_attributes: { job_title: jobTitle, department_name: department },
      }),
    );
    const workos = await startWorkos({ users });
    return {
      projection: ['email', 'custom_attributes'],
      connect: (http) => connectWorkos(workos, http),
      close: workos.close,
    };
  },
  async scim(people) {
    const users = people.map(({ id, givenName, surname, mail, jobTitle }) => ({
      ...{ id, userName: mail, active: true, displayName: `${givenName} ${surname}`, title: jobTitle },
      name: { givenName, familyName: surname },
      emails: [{ type: 'work', value: mail, primary: true }],
    }));
    const scim = await startScimDirectory({ users });
    return {
      projection: ['userName', 'name', 'emails'],
      connect: (http) => connectScim(scim, http),
      close: scim.close,
    };
  },
};

export interface ReadingTimes {
  readonly provider: string;
  readonly pages: number;
  /** Microseconds of processor time for one person: the least of several rounds. */
  readonly parse: number;
  readonly read: number;
}

/** Rounds of both take turns, so that a busy machine is as slow for each. */
export async function measureReading(): Promise<readonly ReadingTimes[]> {
  const people = makePeople();
  const times: ReadingTimes[] = [];
  for (const [provider, start] of Object.entries(DIRECTORIES)) {
    const directory = await start(people);
    const answers = new Map<string, HttpResponse>();
    try {
      await readAll(await directory.connect(toClient(record(answers))), directory);
    } finally {
      await directory.close();
    }
    const pages = [...answers.values()].map(({ body }) => body);
    let [parse, read] = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round += 1) {
      parse = Math.min(parse, await time(async () => parseAll(pages)));
      const source = await directory.connect(toClient(playBack(answers)));
      read = Math.min(read, await time(() => readAll(source, directory)));
    }
    times.push({ provider, pages: pages.length, parse, read });
  }
  return times;
}

async function readAll(source: Source, { projection }: Directory): Promise<void> {
  let people = 0;
  for await (const page of source.readUsers(projection, new AbortController().signal)) people += page.users.length;
  if (people < PEOPLE) throw new Error(`${people} of ${PEOPLE} people were read`);
}

function parseAll(pages: readonly string[]): void {
  for (const page of pages) if (JSON.parse(page) === null) throw new Error('there is nothing on a page');
}

async function time(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PEOPLE;
}

function toClient(transport: Transport): HttpClient {
  const timing = createManualTiming();
  const budget = createBudgets(timing).join('directory', '', { requestsPerSecond: null, concurrency: 8 });
  const options = { userAgent: 'dirsync/bench', unavailable: 'ReadFailed', timeoutMs: 10_000, concurrency: 8 } as const;
  return createHttpClient({ ...options, budget, timing, transport });
}

/** Tokens are asked for by assertions that are never the same. */
const toKey = ({ method, url }: HttpRequest): string => `${method} ${url}`;

function record(answers: Map<string, HttpResponse>): Transport {
  return async (request, wire) => {
    const result = await exchange(request, wire);
    if ('response' in result) answers.set(toKey(request), result.response);
    return result;
  };
}

function playBack(answers: ReadonlyMap<string, HttpResponse>): Transport {
  return async (request) => {
    const response = answers.get(toKey(request));
    if (response === undefined) throw new Error(`nobody has asked ${toKey(request)} before`);
    return { response };
  };
}
