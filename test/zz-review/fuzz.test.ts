import { expect, it } from 'vitest';
import { aCompanyOf } from '../support/company.ts';
import { calm, chaotic, check, rng } from './lab.ts';

const FROM = Number(process.env.SEED ?? 1);
const N = Number(process.env.N ?? 150);
const MODE = process.env.MODE ?? 'all';
const TITLES = ['Engineer', 'Lead', 'Boss', null];
const DEPTS = ['Research', 'Sales', 'Ops'];
const CLUBS = ['Chess', 'Choir; Chess', '', 'Golf', 'Golf;Chess'];

async function story(seed: number): Promise<string[]> {
  const r = rng(seed);
  const { company, chaos, revive } = await chaotic();
  const log: string[] = [];
  const policy = r.pick(['Deactivate', 'Delete', 'Retain'] as const);
  const mem = r.chance(0.2) ? 'Keep' : 'Remove';
  company.spec = {
    ...company.spec,
    guards: { suspiciousDrop: 100, deactivate: { percent: 100 }, delete: { percent: 100 }, adopt: { percent: 100 }, removeMembers: { percent: 100 } },
    drift: { verifyEvery: '0s' },
    ...(MODE === 'delete' ? { deprovisioning: { deletedAtSource: 'Delete', outOfScope: 'Delete', disabledAtSource: 'Delete' } } : {}),
  };
  void policy; void mem;
  company.people = aCompanyOf(r.int(9) + 1, () => ({ title: r.pick(TITLES), department: r.pick(DEPTS), teams: r.pick(CLUBS), active: true }));
  const rule = (displayName: string, value: string) => ({ directorySyncRef: { name: 'acme' }, team: { displayName }, match: [{ attribute: 'department', operator: 'Equals' as const, value }] });
  company.rules = {
    research: rule('Research', 'research'),
    sales: rule('Sales', 'sales'),
    clubs: { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['teams'] } },
  };
  let next = company.people.length;
  let renames = 0;
  const gone: any[] = [];
  const edit = () => {
    const ps = company.people;
    const i = ps.length ? r.int(ps.length) : -1;
    const p = ps[i] as any;
    const set = (x: any) => { if (i >= 0) company.people = ps.map((q, j) => (j === i ? { ...q, ...x } : q)); };
    switch (r.int(12)) {
      case 0: next++; company.people = [...ps, { ...aCompanyOf(1)[0]!, id: `p${next}`, mail: `p${next}@example.com`, title: r.pick(TITLES), department: r.pick(DEPTS), teams: r.pick(CLUBS), active: true } as any]; log.push(`hire p${next}`); break;
      case 1: if (p && ps.length > 2) { company.people = ps.filter((q) => q !== p); gone.push(p); log.push(`leave ${p.id}`); } break;
      case 2: { const g = gone.shift(); if (g) { company.people = [...ps, g]; log.push(`back ${g.id}`); } break; }
      case 3: set({ active: false }); log.push(`disable ${p?.id}`); break;
      case 4: set({ active: true }); log.push(`enable ${p?.id}`); break;
      case 5: set({ title: r.pick(TITLES) }); log.push(`title ${p?.id}`); break;
      case 6: set({ department: r.pick(DEPTS) }); log.push(`dept ${p?.id}`); break;
      case 7: { const m = r.pick(ps.length ? ps : [null as any]); set({ manager: m?.id ?? null }); log.push(`manager ${p?.id} ${m?.id}`); break; }
      case 8: renames++; set({ mail: `${p?.id}n${renames}@example.com` }); log.push(`mail ${p?.id}`); break;
      case 9: set({ teams: r.pick(CLUBS) }); log.push(`teams ${p?.id}`); break;
      case 10: { const n = r.pick(['Research', 'Science', 'Lab']); company.rules = { ...company.rules, research: rule(n, 'research') }; log.push(`rule research → ${n}`); break; }
      case 11: {
        if (MODE === 'nodrift') break;
        const users = [...company.target.users.values()];
        const u = users.length ? r.pick(users) : null;
        const teams = [...company.target.teams.values()];
        const t = teams.length ? r.pick(teams) : null;
        const what = r.int(6);
        if (what === 0 && u) u.attributes['title'] = 'Hacked';
        if (what === 1 && u) u.attributes['active'] = !u.attributes['active'];
        if (what === 2 && u) { company.target.users.delete(u.id); for (const x of company.target.teams.values()) x.members.delete(u.id); }
        if (what === 3 && t) company.target.teams.delete(t.id);
        if (what === 4 && t && u) t.members.add(u.id);
        if (what === 5 && t) t.members.delete([...t.members][0] ?? '');
        log.push(`drift ${what} ${u?.id} ${t?.id}`);
        needVerify = true;
        break;
      }
    }
  };
  let needVerify = false;
  const FAULTS = (process.env.FAULTS ?? 'lost,lostBefore,NotFound,Conflict,PreconditionFailed,TargetRejected,TargetUnavailable,killBefore,killAfter').split(',') as any[];
  const rounds = r.int(6) + 2;
  for (let k = 0; k < rounds; k++) {
    for (let e = r.int(4); e >= 0; e--) edit();
    const resync = needVerify || r.chance(0.2);
    if (MODE === 'lost' && r.chance(0.15)) { await company.loseState(); log.push('LOSE STATE'); }
    company.now = new Date(company.now.getTime() + 3600_000 * (1 + r.int(30)));
    if (r.chance(0.7)) {
      const p = r.pick([0.05, 0.15, 0.4]);
      chaos.write = () => (r.chance(p) ? r.pick(FAULTS) : 'ok');
      chaos.read = () => (r.chance(p / 8) ? r.pick(['TargetUnavailable', 'kill'] as const) : 'ok');
      chaos.store = () => (r.chance(p / 10) ? r.pick(['killBefore', 'killAfter'] as const) : 'ok');
    }
    chaos.log.length = 0;
    const report = await company.run({ resync });
    log.push(`run resync=${resync} → ${report.outcome} ${report.reason} dead=${chaos.dead} ${report.message}`, ...chaos.log.map((l) => '   ' + l));
    // A resync whose run did not get to observe is asked again by its owner.
    if (resync && (report.kind === 'Verify') && ['synced', 'held', 'failed'].includes(report.outcome)) needVerify = false;
    calm(chaos); revive();
    if (report.outcome === 'synced' && !needVerify) {
      const bad = check(company);
      if (bad.length) return [`seed ${seed}: synced but`, ...bad, ...log];
    }
  }
  for (let k = 0; k < 3; k++) {
    company.now = new Date(company.now.getTime() + 3600_000);
    chaos.log.length = 0;
    let report = await company.run({ resync: needVerify });
    log.push(`final run resync=${needVerify} → ${report.outcome} ${report.reason} ${report.message} ${JSON.stringify(report.held)} ${(await company.errors(report)).join(' | ')}`, ...chaos.log.map((l) => '   ' + l));
    if (report.held.count > 0) { report = await company.run({ approve: report.held.hash }); log.push(`approve → ${report.outcome} ${report.message}`); }
    needVerify = false;
  }
  const bad = check(company);
  if (bad.length) return [`seed ${seed}: not converged`, ...bad, ...log];
  chaos.log.length = 0;
  await company.run();
  if (chaos.log.length) return [`seed ${seed}: writes on quiet run`, ...chaos.log, '---', ...log];
  await company.run({ resync: true });
  if (chaos.log.length) return [`seed ${seed}: writes on quiet verify`, ...chaos.log, '---', ...log];
  const state = await company.state();
  let dirty = 0;
  for await (const page of state.links.dirty()) dirty += page.length;
  if (dirty) return [`seed ${seed}: ${dirty} dirty left`, ...log];
  await company.store.close();
  return [];
}

it('fuzz', { timeout: 600_000 }, async () => {
  const found: string[][] = [];
  for (let seed = FROM; seed < FROM + N; seed++) {
    const bad = await story(seed);
    if (bad.length) found.push(bad);
    if (found.length >= Number(process.env.MAX ?? 6)) break;
  }
  found.sort((a, b) => a.length - b.length);
  for (const f of found) process.stdout.write(`${f[0]} :: ${f[1]}\n`);
  if (found[0]) process.stdout.write(`${found[0].join('\n')}\n`);
  expect(found.length).toBe(0);
});
