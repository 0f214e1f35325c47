/** What happens at the source or in Git, as data, and what it does to the company. */
import { editManifests, type ManifestEdit } from './edits.ts';
import { changeGroup, type GroupChange } from './groups.ts';
import { at, type Company, DEPARTMENTS, type Employee, hire, TITLES, toClubs, toMail } from './model.ts';

/** Numbers choose people and values, modulo how many there are. */
export type CompanyStep =
  | { readonly do: 'hire'; readonly n: number }
  | { readonly do: 'move' | 'promote' | 'manager' | 'clubs' | 'rename'; readonly who: number; readonly value: number }
  | { readonly do: 'swap' | 'rotate'; readonly who: number; readonly other: number }
  | {
      readonly do: 'leave' | 'return' | 'disable' | 'enable' | 'scope' | 'blank' | 'rehire' | 'recycle';
      readonly who: number;
    }
  | { readonly do: 'manifest'; readonly what: ManifestEdit; readonly value: number }
  | { readonly do: 'group'; readonly what: GroupChange; readonly which: number; readonly value: number };

/** Nothing happens where there is nobody that it could happen to. */
export function takeStep(company: Company, step: CompanyStep): void {
  switch (step.do) {
    case 'hire':
      hire(company, step.n);
      return;
    case 'manifest':
      editManifests(company, step.what, step.value);
      return;
    case 'group':
      changeGroup(company, step);
      return;
    case 'swap':
    case 'rotate':
      exchangeMails(company, step);
      return;
    case 'return': {
      const back = take(company.gone, step.who);
      if (back !== undefined) company.people.push({ ...back, active: true });
      return;
    }
    case 'recycle': {
      const mail = at(company.gone, step.who)?.mail;
      if (mail !== undefined) hire(company, step.who).mail = mail;
      return;
    }
    case 'leave':
    case 'rehire': {
      const left = take(company.people, step.who);
      if (left === undefined) return;
      company.gone.push(left);
      if (step.do === 'rehire') hire(company, step.who).mail = left.mail;
      return;
    }
    default: {
      const person = at(company.people, step.who);
      if (person !== undefined) change(company, person, step);
    }
  }
}

type Change = Exclude<
  CompanyStep,
  { readonly do: 'hire' | 'manifest' | 'group' | 'swap' | 'rotate' | 'leave' | 'return' | 'rehire' | 'recycle' }
>;

function change(company: Company, person: Employee, step: Change): void {
  const value = 'value' in step ? step.value : 0;
  switch (step.do) {
    case 'move':
      person.department = [...DEPARTMENTS, null][value % 4] ?? null;
      return;
    case 'promote':
      person.title = [...TITLES, null][value % 5] ?? null;
      return;
    case 'manager':
      person.manager = at(company.people, value)?.id ?? null;
      return;
    case 'clubs':
      person.clubs = toClubs(value);
      return;
    case 'rename':
      person.mail = toMail(value % 4 === 0 ? person.id.toUpperCase() : `${person.id}.${value % 4}`);
      return;
    case 'blank':
      person.mail = person.mail === null ? toMail(person.id) : null;
      return;
    case 'scope':
      person.scope = person.scope === 'in' ? 'out' : 'in';
      return;
    case 'disable':
    case 'enable':
      person.active = step.do === 'enable';
  }
}

/** Two people swap their mail addresses, or three pass theirs on in a ring. */
function exchangeMails({ people }: Company, { do: kind, who, other }: CompanyStep & { do: 'swap' | 'rotate' }): void {
  const some = [...new Set([at(people, who), at(people, other), at(people, who + other)])];
  const ring = some.filter((each) => each !== undefined).slice(0, kind === 'swap' ? 2 : 3);
  const mails = ring.map(({ mail }) => mail);
  ring.forEach((person, index) => {
    person.mail = mails[(index + 1) % mails.length] ?? null;
  });
}

function take<T>(list: T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list.splice(n % list.length, 1)[0];
}
