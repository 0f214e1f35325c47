import { SyncError } from '../../src/errors.ts';
import type { Target, TargetProvider } from '../../src/targets/target.ts';
import type { StateStore } from '../../src/state/store.ts';
import { createCompany, type Company, type Person } from '../support/company.ts';

export function rng(seed: number) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (n: number) => Math.floor(next() * n);
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
  const chance = (p: number) => next() < p;
  return { next, int, pick, chance };
}
export type R = ReturnType<typeof rng>;

export interface Chaos {
  dead: boolean;
  /** returns what to do for this write. */
  write: (line: string) => 'ok' | 'lost' | 'lostBefore' | 'NotFound' | 'Conflict' | 'PreconditionFailed' | 'TargetRejected' | 'TargetUnavailable' | 'killBefore' | 'killAfter';
  read: (line: string) => 'ok' | 'TargetUnavailable' | 'kill';
  store: (line: string) => 'ok' | 'killBefore' | 'killAfter';
  log: string[];
}

const WRITES = ['createUser','updateUser','deactivateUser','deleteUser','createTeam','updateTeam','deleteTeam','changeMembers'];

export async function chaotic(options: { file?: string } = {}): Promise<{ company: Company; chaos: Chaos; revive: () => void }> {
  const company = await createCompany(options);
  const chaos: Chaos = { dead: false, write: () => 'ok', read: () => 'ok', store: () => 'ok', log: [] };
  const killed = () => new Error('killed');
  const inner = company.target.provider;
  const provider: TargetProvider<unknown> = {
    ...inner,
    connect: async (c, x) => {
      const t = await inner.connect(c, x);
      return new Proxy(t, {
        get(obj, prop: keyof Target) {
          const f = obj[prop] as any;
          if (typeof f !== 'function' || prop === 'close' || prop === 'capabilities') return f;
          if (prop === 'listUsers' || prop === 'listTeams')
            return (...args: any[]) => {
              if (chaos.dead) throw killed();
              const what = chaos.read(prop);
              if (what === 'kill') { chaos.dead = true; throw killed(); }
              if (what === 'TargetUnavailable') throw new SyncError('TargetUnavailable', 'down');
              return f(...args);
            };
          return async (...args: any[]) => {
            if (chaos.dead) throw killed();
            const line = `${String(prop)} ${JSON.stringify(args.slice(0, -1))}`;
            if (!WRITES.includes(prop)) {
              const what = chaos.read(line);
              if (what === 'kill') { chaos.dead = true; throw killed(); }
              if (what === 'TargetUnavailable') throw new SyncError('TargetUnavailable', 'down');
              return f(...args);
            }
            const what = chaos.write(line);
            chaos.log.push(`${what} ${line}`);
            switch (what) {
              case 'ok': return f(...args);
              case 'lost': { await f(...args); throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' }); }
              case 'lostBefore': throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' });
              case 'killBefore': chaos.dead = true; throw killed();
              case 'killAfter': await f(...args); chaos.dead = true; throw killed();
              default: throw new SyncError(what, what);
            }
          };
        },
      }) as Target;
    },
  };
  const providers = () => ({ sources: base.sources, targets: new Map([['scim', provider]]) });
  const base = company.providers;
  Object.defineProperty(company, 'providers', { get: providers });
  const wrapStore = (store: StateStore): StateStore => ({
    ...store,
    directory: async (key) => {
      const d = await store.directory(key);
      const wrap = (name: string, o: any) => new Proxy(o, {
        get(obj, prop) {
          const f = obj[prop];
          if (typeof f !== 'function') return f;
          const writes = (name === 'facts' && prop === 'put') || (name === 'links' && prop === 'apply') || (name === 'journal' && !['runs','units','operations','counts','unsettled','errors','countErrors'].includes(String(prop))) || (name === 'ledger' && ['addSamples','purge'].includes(String(prop)));
          return (...args: any[]) => {
            if (chaos.dead) throw killed();
            if (!writes) return f.apply(obj, args);
            const what = chaos.store(`${name}.${String(prop)}`);
            if (what === 'killBefore') { chaos.dead = true; throw killed(); }
            const result = f.apply(obj, args);
            if (what === 'killAfter') return Promise.resolve(result).then(() => { chaos.dead = true; throw killed(); });
            return result;
          };
        },
      });
      return { facts: wrap('facts', d.facts), links: wrap('links', d.links), staging: d.staging, journal: wrap('journal', d.journal), ledger: wrap('ledger', d.ledger) };
    },
  });
  let real = company.store;
  let wrapped = wrapStore(real);
  Object.defineProperty(company, 'store', { get: () => wrapped, set: (s: StateStore) => { real = s; wrapped = wrapStore(s); } });
  return { company, chaos, revive: () => { chaos.dead = false; } };
}

export function calm(chaos: Chaos) { chaos.write = () => 'ok'; chaos.read = () => 'ok'; chaos.store = () => 'ok'; chaos.dead = false; }

const DEPT = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
const MGR = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';

/** Problems of the end state against a plain oracle. */
export function check(company: Company, opts: { scope?: (p: Person) => boolean; policy?: string } = {}): string[] {
  const problems: string[] = [];
  const scope = opts.scope ?? (() => true);
  const byExt = new Map<string, any[]>();
  for (const u of company.target.users.values()) {
    const e = String(u.attributes['externalId'] ?? '');
    byExt.set(e, [...(byExt.get(e) ?? []), u]);
  }
  for (const [e, us] of byExt) if (e !== '' && us.length > 1) problems.push(`duplicate ${e}: ${us.map((u) => u.id)}`);
  const present = new Set<string>();
  for (const p of company.people) {
    const u = byExt.get(p.id)?.[0];
    if (p.active !== false && scope(p)) {
      present.add(p.id);
      if (!u) { problems.push(`${p.id} missing`); continue; }
      if (u.attributes.active === false) problems.push(`${p.id} inactive`);
      if (u.attributes.userName !== p['mail']) problems.push(`${p.id} userName ${u.attributes.userName} ≠ ${p['mail']}`);
      if ((u.attributes.title ?? null) !== (p['title'] ?? null)) problems.push(`${p.id} title ${u.attributes.title} ≠ ${p['title']}`);
      if (p['department'] != null && u.attributes[DEPT] !== p['department']) problems.push(`${p.id} dept ${u.attributes[DEPT]} ≠ ${p['department']}`);
      if (p['manager'] != null) {
        const boss = company.people.find((b) => b.id === p['manager']);
        const m = byExt.get(String(p['manager']))?.[0];
        if (boss && boss.active !== false && scope(boss) && u.attributes[MGR] !== m?.id) problems.push(`${p.id} manager ${u.attributes[MGR]} ≠ ${m?.id} (${p['manager']})`);
      }
    }
  }
  for (const [e, us] of byExt) {
    if (e === '' || present.has(e)) continue;
    for (const u of us) if (u.attributes.active !== false) problems.push(`${e} (${u.id}) still active`);
  }
  const want = new Map<string, Set<string>>();
  for (const [, r] of Object.entries(company.rules)) {
    if (r.suspend) continue;
    const names: [string, (p: Person) => boolean][] = [];
    if (r.team) names.push([r.team.displayName, (p) => r.match!.every((c: any) => String(p[c.attribute] ?? '').toLowerCase() === String(c.value).toLowerCase())]);
    else {
      const all = new Set(company.people.filter((p) => present.has(p.id)).flatMap((p) => String(p['teams'] ?? '').split(';').map((s) => s.trim()).filter(Boolean)));
      for (const n of all) names.push([n, (p) => String(p['teams'] ?? '').split(';').map((s) => s.trim()).includes(n)]);
    }
    for (const [n, f] of names) {
      const s = want.get(n.toLowerCase()) ?? new Set();
      for (const p of company.people) if (present.has(p.id) && f(p)) s.add(p.id);
      want.set(n.toLowerCase(), s);
    }
  }
  const seen = new Set<string>();
  for (const t of company.target.teams.values()) {
    const n = String(t.attributes['displayName']).toLowerCase();
    if (seen.has(n)) problems.push(`duplicate team ${n}`);
    seen.add(n);
    if (String(t.attributes['externalId'] ?? '') === '') continue;
    const w = want.get(n);
    const got = [...t.members].map((id) => String(company.target.users.get(id)?.attributes['externalId'] ?? `?${id}`)).sort();
    if (w === undefined) { if (got.length > 0 && Object.keys(company.rules).length > 0) problems.push(`team ${n} uncalled has ${got}`); continue; }
    const ws = [...w].sort();
    if (JSON.stringify(got) !== JSON.stringify(ws)) problems.push(`team ${n}: has ${got} wants ${ws}`);
  }
  for (const [n, w] of want) if (w.size > 0 && !seen.has(n)) problems.push(`team ${n} missing`);
  return problems;
}
