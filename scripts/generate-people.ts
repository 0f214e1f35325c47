/**
 * People of an invented company, in the columns of the Entra portal's user download.
 *
 *   node scripts/generate-people.ts                                 the 250 of examples/quickstart/people.csv
 *   node scripts/generate-people.ts --count 10000 --out FILE [--seed N]
 *
 * A person is computed from the seed and their index alone, so that a million rows need no memory, and the same
 * arguments give the same bytes. Titles also depend on `count`: who leads nobody is no manager.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CLUBS, DEPARTMENTS, GIVEN_NAMES, HIRING_PATTERN, OFFICES, SURNAMES } from './invented-company.ts';

export const QUICKSTART_COUNT = 250;
export const QUICKSTART_SEED = 1;

export const PEOPLE_COLUMNS = [
  'userPrincipalName',
  'displayName',
  'surname',
  'mail',
  'givenName',
  'objectId',
  'userType',
  'jobTitle',
  'department',
  'accountEnabled',
  'usageLocation',
  'streetAddress',
  'state',
  'country',
  'physicalDeliveryOfficeName',
  'city',
  'postalCode',
  'telephoneNumber',
  'mobile',
  'alternateEmailAddress',
  'manager',
  'teams',
  'licenseTier',
] as const;

/** One row; an empty cell is "". */
export type PersonRow = Readonly<Record<(typeof PEOPLE_COLUMNS)[number], string>>;

/** People that one person leads at most. */
const SPAN = 6;
/** Coprime to the number of names, so that every pair of given name and surname comes once before any comes again. */
const NAME_STEP = 7919;

/** The people from the chief executive down; each manager comes before the people they lead. */
export function* generatePeople(count: number, seed: number): Generator<PersonRow> {
  for (let index = 0; index < count; index += 1) yield toPerson(index, count, seed);
}

/** One line of CSV with its line end; quoted where it must be. */
export function toCsvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;
}

/** Writes header and rows to a new file, never holding more than a buffer of them. */
export async function writePeople(path: string, count: number, seed: number): Promise<void> {
  const out = createWriteStream(path);
  out.write(toCsvLine(PEOPLE_COLUMNS));
  for (const person of generatePeople(count, seed)) {
    const line = toCsvLine(PEOPLE_COLUMNS.map((column) => person[column]));
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
}

/** Where somebody stands: `node` 0 leads the department, and node n leads nodes 6n + 1 to 6n + 6 of it. */
interface Place {
  readonly department: number;
  readonly node: number;
}

const HEADS = DEPARTMENTS.length;

function toPlace(index: number): Place {
  if (index <= HEADS) return { department: index - 1, node: 0 };
  const hired = index - HEADS - 1;
  const slot = hired % HIRING_PATTERN.length;
  const department = HIRING_PATTERN[slot] ?? 0;
  const slots = slotsOf(department);
  const node = Math.floor(hired / HIRING_PATTERN.length) * slots.length + slots.indexOf(slot) + 1;
  return { department, node };
}

/** The inverse of `toPlace`. */
function toIndex({ department, node }: Place): number {
  if (node === 0) return department + 1;
  const slots = slotsOf(department);
  const round = Math.floor((node - 1) / slots.length);
  return HEADS + 1 + round * HIRING_PATTERN.length + (slots[(node - 1) % slots.length] ?? 0);
}

function slotsOf(department: number): readonly number[] {
  return HIRING_PATTERN.flatMap((each, slot) => (each === department ? [slot] : []));
}

function toManagerIndex(index: number): number | null {
  if (index === 0) return null;
  const { department, node } = toPlace(index);
  return node === 0 ? 0 : toIndex({ department, node: Math.floor((node - 1) / SPAN) });
}

interface Job {
  readonly title: string;
  readonly department: string;
  readonly leads: boolean;
}

function toJob(index: number, count: number, dice: Dice): Job {
  if (index === 0) return { title: 'Chief Executive Officer', department: 'Executive', leads: true };
  const { department, node } = toPlace(index);
  const { name, head, titles } = DEPARTMENTS[department] ?? { name: '', head: '', titles: [] };
  if (node === 0) return { title: head, department: name, leads: true };
  const leads = toIndex({ department, node: SPAN * node + 1 }) < count;
  if (!leads) return { title: pick(titles, dice(0)), department: name, leads };
  return { title: `${node <= SPAN ? 'Senior Manager' : 'Manager'} ${name}`, department: name, leads };
}

/** A number below 65,536 for each of eight questions about one person. */
type Dice = (question: number) => number;

function toDigest(index: number, seed: number): Buffer {
  return createHash('sha256').update(`${seed}:${index}`).digest();
}

function pick<T>(values: readonly T[], roll: number): T {
  const value = values[roll % values.length];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}

function toUuid(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

interface PersonName {
  readonly given: string;
  readonly surname: string;
  /** Of the login: unique, ASCII, in lower case. */
  readonly login: string;
  readonly givenLogin: string;
}

function toName(index: number, seed: number): PersonName {
  const pairs = GIVEN_NAMES.length * SURNAMES.length;
  const pair = (index * NAME_STEP + seed * 104_729) % pairs;
  const round = Math.floor(index / pairs);
  const given = pick(GIVEN_NAMES, pair);
  const surname = pick(SURNAMES, Math.floor(pair / GIVEN_NAMES.length));
  const givenLogin = toAscii(given);
  const login = `${givenLogin}.${toAscii(surname)}${round === 0 ? '' : round + 1}`;
  return { given, surname, login, givenLogin };
}

const LETTERS_WITHOUT_MARK: Readonly<Record<string, string>> = { ø: 'o', ł: 'l', ı: 'i', ß: 'ss', æ: 'ae', đ: 'd' };

function toAscii(name: string): string {
  const plain = name.toLowerCase().replace(/[øłıßæđ]/g, (letter) => LETTERS_WITHOUT_MARK[letter] ?? letter);
  return plain.normalize('NFD').replace(/[^a-z]/g, '');
}

function toTeams(dice: Dice): string {
  const first = pick(CLUBS, dice(1));
  const second = pick(CLUBS, dice(1) >>> 4);
  if (dice(2) % 100 < 50) return '';
  if (dice(2) % 100 < 80 || first === second) return first;
  return `${first};${second}`;
}

/** Mail addresses are written by people: some with capitals, and some people have none yet. */
function toMail(name: PersonName, external: boolean, roll: number): string {
  if (external) return `${name.login}@partner.example.com`;
  if (roll % 50 === 1) return '';
  const [given = '', surname = ''] = name.login.split('.');
  return roll % 12 === 0 ? `${capital(given)}.${capital(surname)}@Example.com` : `${name.login}@example.com`;
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}

function toPerson(index: number, count: number, seed: number): PersonRow {
  const digest = toDigest(index, seed);
  const dice: Dice = (question) => digest.readUInt16LE(16 + question * 2);
  const name = toName(index, seed);
  const job = toJob(index, count, dice);
  const manager = toManagerIndex(index);
  const office = pick(OFFICES, dice(3) % 10 < 4 ? 0 : dice(3) >>> 4);
  const external = !job.leads && dice(4) % 25 === 0;
  // Sweden reserves 05 to 99 for fiction, the others more.
  const line = String(5 + (dice(5) % 95)).padStart(2, '0');
  return {
    userPrincipalName: external ? `${name.login}_partner.example.com#EXT#@corp.example` : `${name.login}@corp.example`,
    displayName: external ? `${name.surname}, ${name.given} (Partner)` : `${name.given} ${name.surname}`,
    surname: name.surname,
    mail: toMail(name, external, dice(6)),
    givenName: name.given,
    objectId: toUuid(digest),
    userType: external ? 'Guest' : 'Member',
    jobTitle: job.title,
    department: job.department,
    accountEnabled: !job.leads && dice(7) % 60 === 0 ? 'False' : 'True',
    usageLocation: office.usageLocation,
    streetAddress: office.streetAddress,
    state: office.state,
    country: office.country,
    physicalDeliveryOfficeName: office.name,
    city: office.city,
    postalCode: office.postalCode,
    telephoneNumber: dice(4) % 10 === 1 ? '' : `${office.telephone}${line}`,
    mobile: dice(5) % 10 < 4 ? '' : `${office.mobile}${line}`,
    alternateEmailAddress: dice(6) % 7 === 0 ? `${name.givenLogin}@example.org` : '',
    manager: manager === null ? '' : toUuid(toDigest(manager, seed)),
    teams: toTeams(dice),
    licenseTier: toTier(job.leads, dice(2) >>> 8),
  };
}

/** Most have none, and get the mapping's default. */
function toTier(leads: boolean, roll: number): string {
  if (leads) return 'gold';
  return roll % 4 === 0 ? 'silver' : '';
}

function toCount(text: string, option: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`--${option} takes a number from 0, not ${text}`);
  return count;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { count: { type: 'string' }, out: { type: 'string' }, seed: { type: 'string' } },
  });
  await writePeople(
    values.out ?? fileURLToPath(new URL('../examples/quickstart/people.csv', import.meta.url)),
    toCount(values.count ?? String(QUICKSTART_COUNT), 'count'),
    toCount(values.seed ?? String(QUICKSTART_SEED), 'seed'),
  );
}
