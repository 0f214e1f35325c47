import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../../src/api/attribute-mapping.ts';
import type { Json } from '../../../src/model.ts';
import { aPerson, createDialectCompany } from '../../support/dialect-company.ts';
import { QUIRKS } from '../../support/dialects/dialect.ts';
import type { DialectRequest, DialectResponse } from '../../support/dialects/server.ts';

const ENTRIES: AttributeEntry[] = [
  { target: 'userName', source: 'login', matching: { precedence: 1 } },
  { target: 'externalId', source: 'id' },
  { target: 'title', source: 'title' },
];

type Operation = { readonly [key: string]: Json };

function operationsOf({ body = '{}' }: DialectRequest): readonly Operation[] {
  return (JSON.parse(body) as { Operations: Operation[] }).Operations;
}

/** A dozen people, nobody of them there yet. */
async function aCompany(limits: Record<string, Json> = {}) {
  const { config } = QUIRKS['bulk requests'];
  const dialect = { ...QUIRKS['bulk requests'], config: { ...config, bulk: { ...config.bulk, ...limits } } };
  const made = await createDialectCompany(dialect, 'Standard', ENTRIES);
  const { company, server } = made;
  company.people = Array.from({ length: 12 }, (_, index) => aPerson(index + 1));
  company.spec = { ...company.spec, guards: { deactivate: { percent: 100 }, suspiciousDrop: 100 } };
  const bulks = (): DialectRequest[] => server.requests.filter(({ url }) => url.endsWith('/Bulk'));
  const titles = (): Json[] => [...server.users.values()].map((user) => user['title'] ?? null);
  const promote = async () => {
    company.people = company.people.map((person) => ({ ...person, title: 'Director' }));
    server.requests.length = 0;
    return await company.run();
  };
  /** Answers in the place of the bulk requests from now on, after they were carried out. */
  const rewrite = (change: (results: Operation[]) => unknown): void => {
    server.intercept = (request) => {
      if (!request.url.endsWith('/Bulk')) return null;
      const { intercept } = server;
      server.intercept = null;
      const response = server.handle(request);
      server.requests.pop();
      server.intercept = intercept;
      const Operations = change((JSON.parse(response.body) as { Operations: Operation[] }).Operations);
      return { ...response, body: JSON.stringify({ Operations }) };
    };
  };
  return { ...made, bulks, titles, promote, rewrite };
}

const DIRECTORS = Array(12).fill('Director');
const answer = (status: number): DialectResponse => ({ status, headers: {}, body: '{}' });

describe('changes that travel together', () => {
  it('as many as are taken, in each request; what is left over goes alone', async () => {
    const { company, server, bulks, writes } = await aCompany();
    expect((await company.run()).outcome).toBe('synced');
    expect(bulks().map((each) => operationsOf(each).length)).toEqual([8]);
    expect(writes().toSorted()).toEqual(['POST /Bulk', ...Array(4).fill('POST /Users')]);
    expect(server.users.size).toBe(12);
    await company.run();
    expect(writes()).toEqual([]);
  });

  it('deactivations, updates and creates, each with an id of its own in the request, none that stops the others', async () => {
    const { company, bulks, titles, promote, active } = await aCompany();
    await company.run();
    expect((await promote()).applied).toMatchObject({ update: 12 });
    expect(titles()).toEqual(DIRECTORS);
    company.people = company.people.slice(0, 4);
    expect((await company.run()).applied).toMatchObject({ deactivate: 8 });
    expect(active()).toHaveLength(4);
    for (const request of bulks()) {
      expect(JSON.parse(request.body ?? '')).not.toHaveProperty('failOnErrors');
      const ids = operationsOf(request).map(({ bulkId }) => bulkId);
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(bulks().map((each) => operationsOf(each)[0]?.['method'])).toEqual(['PATCH', 'PATCH']);
  });

  it('no request is larger than is taken', async () => {
    const { company, server, bulks } = await aCompany({ maxPayloadSize: 1200 });
    await company.run();
    expect(server.users.size).toBe(12);
    const sizes = bulks().map(({ body = '' }) => Buffer.byteLength(body));
    expect(sizes.length).toBeGreaterThan(0);
    expect(sizes.filter((size) => size > 1200)).toEqual([]);
  });

  it('a value that would refer to another change is sent alone', async () => {
    const { company, server, bulks } = await aCompany();
    company.people = company.people.map((person) => ({ ...person, title: 'bulkId:1' }));
    await company.run();
    expect(bulks()).toEqual([]);
    expect(server.users.size).toBe(12);
  });

  it('one that is refused is the error of that record (I8)', async () => {
    const { company, server, promote, titles } = await aCompany();
    await company.run();
    const [id] = server.users.keys();
    server.users.delete(id ?? '');
    const report = await promote();
    expect(await company.errors(report)).toEqual([expect.stringContaining('p1 NotFound')]);
    expect(titles()).toEqual(Array(11).fill('Director'));
  });
});

describe('what became of each', () => {
  it('is told by place, by bulkId in any order, and by statuses of any form', async () => {
    const { company, server, promote, rewrite, titles } = await aCompany();
    rewrite((results) =>
      results.toReversed().map(({ status, ...each }) => ({ ...each, status: { code: status ?? '' } })),
    );
    expect((await company.run()).outcome).toBe('synced');
    const links = [...server.users].map(([id, user]) => [user['externalId'], id]);
    for (const [externalId, id] of links) {
      const link = await (await company.state()).links.get(String(externalId));
      expect(link?.targetId).toBe(id);
    }
    rewrite((results) => results.map(({ location, status }) => ({ location, status: Number(status) })).toReversed());
    expect((await promote()).outcome).toBe('synced');
    expect(titles()).toEqual(DIRECTORS);
  });

  it('and is asked for where it is not told: nobody is doubled, nothing is lost (I6)', async () => {
    const { company, server, rewrite, promote, titles, bulks } = await aCompany();
    rewrite((results) => results.slice(3));
    await company.run();
    expect(server.users.size).toBe(12);
    server.intercept = null;
    expect((await company.run()).outcome).toBe('synced');
    expect(server.users.size).toBe(12);
    await promote();
    expect(titles()).toEqual(DIRECTORS);
    // Who leaves out results is not trusted with another.
    expect(bulks()).toEqual([]);
  });

  it('the answer to all of them is lost: each is asked for (I6)', async () => {
    const made = await aCompany();
    const { company, server, titles, promote } = made;
    made.losing = 'POST';
    await company.run();
    made.losing = null;
    await company.run();
    expect(server.users.size).toBe(12);
    made.losing = 'POST';
    await promote();
    made.losing = null;
    await company.run();
    expect((await company.run()).outcome).toBe('synced');
    expect(server.users.size).toBe(12);
    expect(titles()).toEqual(DIRECTORS);
  });

  it.each(['429', '503', '403'])('%s to one of them is looked into by a request of its own', async (status) => {
    const { company, server, promote, rewrite, titles } = await aCompany();
    await company.run();
    const [id = ''] = server.users.keys();
    const before = structuredClone(server.users.get(id));
    rewrite((results) =>
      results.map((result) => {
        if (!String(result['location']).endsWith(id)) return result;
        if (before !== undefined) server.users.set(id, before);
        return { ...result, status };
      }),
    );
    expect((await promote()).outcome).toBe('synced');
    expect(server.requests.filter(({ method, url }) => method === 'PATCH' && url.endsWith(id))).toHaveLength(1);
    expect(titles()).toEqual(DIRECTORS);
  });
});

describe('requests that are refused as a whole', () => {
  it.each([400, 403, 404, 405, 501])('%i: every change goes alone, now and in later runs (T10)', async (status) => {
    const { company, server, promote, titles, bulks } = await aCompany();
    server.intercept = ({ url }) => (url.endsWith('/Bulk') ? answer(status) : null);
    expect((await company.run()).outcome).toBe('synced');
    expect(server.users.size).toBe(12);
    expect(bulks()).toHaveLength(1);
    await promote();
    expect(titles()).toEqual(DIRECTORS);
    expect(bulks()).toEqual([]);
  });

  it('413: they are smaller from then on, or there are none', async () => {
    const { company, server, promote, bulks } = await aCompany({ maxOperations: 12 });
    const most = (count: number) => (request: DialectRequest) =>
      request.url.endsWith('/Bulk') && operationsOf(request).length > count ? answer(413) : null;
    server.intercept = most(6);
    await company.run();
    expect(server.users.size).toBe(12);
    await promote();
    expect(bulks().map((each) => operationsOf(each).length)).toContain(6);
    expect(bulks().every((each) => operationsOf(each).length <= 6)).toBe(true);
  });

  it('500: nobody knows of any of them, and the next run does without', async () => {
    const { company, server, promote, titles, bulks } = await aCompany();
    await company.run();
    server.intercept = ({ url }) => (url.endsWith('/Bulk') ? answer(500) : null);
    await promote();
    expect(bulks().length).toBeGreaterThan(0);
    server.requests.length = 0;
    await company.run();
    expect((await company.run()).outcome).toBe('synced');
    expect(titles()).toEqual(DIRECTORS);
    expect(bulks()).toEqual([]);
  });
});
