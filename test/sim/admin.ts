/** What an administrator does in the target by hand, past Dirsync. */
import { CUSTOM_NAMES } from './features.ts';
import { MAIL_DOMAIN, TITLES } from './model.ts';
import type { AdminAct, FeatureAct } from './scenario.ts';
import type { Team, User } from './server.ts';
import { TEAM_VALUE_NAMES } from './team-values.ts';
import type { World } from './world.ts';

type AnyAct = AdminAct | FeatureAct;

export function actByHand(world: World, act: AnyAct, which: number): void {
  world.count(`by hand ${act}`);
  if (TAKING.has(act)) world.invariants.onTakenByHand();
  ACTS[act](world, which);
}

const TAKING: ReadonlySet<AnyAct> = new Set(['deactivate', 'drop', 'removeMember', 'dropTeam']);

function pick<T>(objects: ReadonlyMap<string, T>, which: number): T | undefined {
  const all = [...objects.values()];
  return all.length === 0 ? undefined : all[which % all.length];
}

const onUser =
  (act: (world: World, user: User, which: number) => void) =>
  (world: World, which: number): void => {
    const user = pick(world.server.users, which);
    if (user !== undefined) act(world, user, which);
  };

const onTeam =
  (act: (world: World, team: Team, which: number) => void) =>
  (world: World, which: number): void => {
    const team = pick(world.server.teams, which);
    if (team !== undefined) act(world, team, which);
  };

const ACTS: Readonly<Record<AnyAct, (world: World, which: number) => void>> = {
  retitle: onUser(({ server }, user, which) => server.putUser({ ...user, title: which % 2 === 0 ? 'Boss' : null })),
  deactivate: onUser(({ server }, user) => server.putUser({ ...user, active: false })),
  reactivate: onUser(({ server, invariants }, user) => {
    invariants.onGivenBack(user.id);
    server.putUser({ ...user, active: true });
  }),
  drop: onUser(({ server }, user) => server.dropUser(user.id)),
  stranger: (world, which) => addUser(world, `stranger${which}@${MAIL_DOMAIN}`, which % 2 === 0 ? null : `x${which}`),
  /** An account for somebody who is going to be hired, or is here already under another name. */
  namesake(world, which) {
    const { people, made } = world.company;
    const person = which % 3 === 0 ? people[which % Math.max(1, people.length)] : undefined;
    addUser(world, person?.mail ?? `p${made + 1}@${MAIL_DOMAIN}`, which % 5 === 0 ? `x${which}` : null);
  },
  removeMember: onTeam(({ server }, team, which) => {
    const members = team.members.filter((_, index) => index !== which % Math.max(1, team.members.length));
    server.putTeam({ ...team, members });
  }),
  addMember: onTeam(({ server }, team, which) => {
    const user = pick(server.users, which);
    if (user !== undefined) server.putTeam({ ...team, members: [...new Set([...team.members, user.id])] });
  }),
  dropTeam: onTeam(({ server }, team) => server.dropTeam(team.id)),
  renameTeam: onTeam(({ server }, team, which) => server.putTeam({ ...team, displayName: `By hand ${which}` })),
  retype: onUser(({ server }, user, which) => server.putUser({ ...user, userType: which % 3 === 0 ? null : 'Guest' })),
  /** Also what somebody else has, or is going to have. */
  renick: onUser(({ server }, user, which) =>
    server.putUser({ ...user, nickName: TITLES[which % TITLES.length]?.toLowerCase() ?? null }),
  ),
  /** Also where nothing belongs any more. */
  retier: onUser(({ server, company }, user, which) => {
    if (user.externalId === null) return;
    const name = CUSTOM_NAMES[which % 2] ?? 'tier';
    company.customByHand[name].add(user.id);
    server.putUser({ ...user, [name]: which % 3 === 0 ? null : 'Platinum' });
  }),
  redescribe: onTeam(({ server }, team, which) => {
    const name = TEAM_VALUE_NAMES[which % 2] ?? 'site';
    server.putTeam({ ...team, [name]: which % 3 === 0 ? null : 'Somewhere else' });
  }),
  ownTeam(world, which) {
    const { server } = world;
    const names = ['Revenue', 'Science', 'Friends', 'Choir'];
    const displayName = names[which % names.length] ?? 'Friends';
    if ([...server.teams.values()].some((team) => team.displayName === displayName)) return;
    server.putTeam({ id: server.nextId(), displayName, externalId: null, members: [], purpose: null, site: null });
  },
};

const NOTHING_MORE = { userType: null, nickName: null, tier: null, grade: null };

function addUser({ server, invariants }: World, userName: string, externalId: string | null): void {
  const { idFromExternalId } = server.dialect;
  const id = (idFromExternalId ? externalId : null) ?? server.nextId();
  const rest = { title: null, active: true, department: null, manager: null, ...NOTHING_MORE };
  server.putUser({ id, userName, externalId: idFromExternalId ? id : externalId, ...rest });
  invariants.onMadeByHand(id);
}
