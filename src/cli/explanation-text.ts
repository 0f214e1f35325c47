/** An explanation as it is printed: step by step in lines, or as JSON. */
import type { ConditionTrace } from '../mapping/condition-trace.ts';
import type { EntryTrace } from '../mapping/entry-trace.ts';
import type { Presence } from '../model.ts';
import { describeValues, type Explanation, type TeamExplanation } from './explanation.ts';
import type { CliIo } from './io.ts';
import { toShownOperation } from './plan-json.ts';
import { formatChange, formatValue, shortenPath } from './plan-values.ts';
import type { SyncRun } from './run-sync.ts';
import { createStyle, type Style } from './style.ts';
import { formatSteps } from './value-steps.ts';

/** The fields of an explanation, and whose it is. */
export async function toExplanationJson(
  { resource, report, state }: SyncRun,
  explanation: Explanation,
): Promise<object> {
  const { namespace, name } = resource.metadata;
  const { operations } = explanation;
  return {
    directorySync: `${namespace}/${name}`,
    run: report.runId,
    ...explanation,
    operations: await Promise.all(operations.map((operation) => toShownOperation(operation, state))),
  };
}

export async function printExplanation(io: CliIo, { resource }: SyncRun, explanation: Explanation): Promise<void> {
  const style = createStyle(io);
  const { person, result, mapping, teams, operations } = explanation;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Source', describeSource(explanation)],
    ['Scope', describeScope(explanation, style)],
    ['Mappings', mapping.flatMap(describeEntry)],
    ['Account', describeAccount(explanation)],
    ['Teams', teams.flatMap((team) => describeTeam(team, style))],
    ['Plan', await describePlan(operations)],
    ['Result', [style.bold(result.summary), ...result.reasons.map((reason) => `- ${reason}`)]],
  ];
  const title = person.name === person.sourceId ? person.name : `${person.name} (${person.sourceId})`;
  const blocks = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([heading, lines]) => [style.bold(heading), ...lines.map((line) => `  ${line}`)].join('\n'));
  await io.stdout(`${[style.bold(`${title}, ${resource.metadata.name}`), ...blocks].join('\n\n')}\n`);
}

function describeSource({ source }: Explanation): readonly string[] {
  const { found, active, position, duplicate, suspicion } = source;
  const where = position === null ? '' : ` (${position})`;
  const record = found ? `a record${where}, ${active === false ? 'inactive' : 'active'}` : 'no record of this read';
  return [
    record,
    ...(duplicate ? ['another record has the same id: neither is used'] : []),
    ...(suspicion === null ? [] : [`the read is suspect: ${suspicion}`]),
  ];
}

const PRESENCES: Readonly<Record<Presence, string>> = {
  present: 'in scope',
  outOfScope: 'not in scope',
  disabledAtSource: 'in scope, and inactive',
  undecided: 'cannot be told, or a record error keeps the person as they are',
};

function describeScope({ scope, source }: Explanation, style: Style): readonly string[] {
  const { presence, condition } = scope;
  if (!source.found || presence === null) return [];
  if (condition === null) return [`${PRESENCES[presence]}: spec.scope leaves nobody out`];
  return [PRESENCES[presence], ...describeCondition(condition, style)];
}

const JOINS = { and: 'all of', or: 'one of', not: 'not' } as const;

function describeCondition(trace: ConditionTrace, style: Style, indent = ''): readonly string[] {
  const { text, holds, join, parts, values, error } = trace;
  const sign = toSign(holds, style);
  if (join !== undefined) {
    const below = parts.flatMap((part) => describeCondition(part, style, `${indent}  `));
    return [`${indent}${sign} ${JOINS[join]}`, ...below];
  }
  const why = error ?? describeValues(values);
  return [`${indent}${sign} ${text}${why === '' ? '' : `  ${style.dim(`(${why})`)}`}`];
}

function toSign(holds: boolean | null, style: Style): string {
  if (holds === null) return style.yellow('?');
  return holds ? style.green('✓') : style.red('✗');
}

function describeEntry({ target, owner, origin, precedence, end, values, steps }: EntryTrace): readonly string[] {
  const matching = precedence === null ? '' : `, matching ${precedence}`;
  const from = `${owner}: ${origin.language} ${origin.text}${matching}`;
  const head = `${shortenPath(target)} ${describeEnd({ end, values })}  (${from})`;
  // What a name or constant gives stands in the line already.
  return [head, ...(steps === null ? [] : steps.steps.flatMap((step) => formatSteps(step, '  ')))];
}

function describeEnd({ end, values }: Pick<EntryTrace, 'end' | 'values'>): string {
  switch (end.kind) {
    case 'value': {
      const [only, ...more] = end.values;
      const shown =
        more.length === 0 ? formatValue(only, false) : `the first free one of ${formatValue(end.values, false)}`;
      return `= ${shown}${end.onCreate ? ', when the account is made' : ''}`;
    }
    case 'empty': {
      if (end.fallback !== null) return `is empty; a new account gets ${formatValue(end.fallback, false)}`;
      return end.clears ? 'is empty: the target is cleared' : 'is empty: the target keeps what it has';
    }
    case 'unknown':
      return `stays: ${describeValues(values.filter(({ unknown }) => unknown !== undefined))}`;
    case 'photo':
      return 'is written when it is another one than the last';
    case 'skipped':
      return end.skip === 'SkipObject'
        ? 'leaves the person as they are'
        : 'stays: the expression says that nothing flows';
    case 'failed':
      return `failed: ${end.message}`;
  }
}

function describeAccount({ account, scope }: Explanation): readonly string[] {
  const { linked, gone, candidates } = account;
  if (linked !== null) {
    const { targetId, origin, active } = linked;
    return [
      `linked to ${targetId} (${origin}), ${gone ? 'which does not exist any more' : active ? 'active' : 'deactivated'}`,
    ];
  }
  if (scope.presence !== 'present') return ['none is linked'];
  if (candidates.length === 0) return ['none is linked, and none of the target matches'];
  const lines = candidates.map(({ targetId, path, linkedTo, directorySync }) => {
    const other = directorySync === null ? null : `the DirectorySync ${directorySync}`;
    const owner = other ?? linkedTo;
    return `${targetId} matches by ${shortenPath(path)}; ${owner === null ? 'nobody owns it' : `it belongs to ${owner}`}`;
  });
  return ['none is linked', ...lines];
}

const VERDICTS = { grants: true, denies: false, undecided: null, frozen: null } as const;

function describeTeam(team: TeamExplanation, style: Style): readonly string[] {
  const { rule, group, verdict, teams, by, condition, values = [], message } = team;
  const names = teams.map(({ displayName }) => displayName).join(', ') || 'no team';
  const of = group === null ? `rule ${rule}` : `group ${group.displayName} (${group.id})`;
  const why = [
    by === undefined ? '' : `named by ${by}`,
    verdict === 'undecided' ? 'cannot be told: membership stays as it is' : '',
    verdict === 'frozen' ? 'stands still: membership stays as it is' : '',
    message ?? '',
    describeValues(values),
  ].filter((part) => part !== '');
  const head = `${toSign(VERDICTS[verdict], style)} ${names}  ${style.dim(`(${[of, ...why].join('; ')})`)}`;
  return [head, ...(condition === undefined ? [] : describeCondition(condition, style, '  '))];
}

async function describePlan(operations: Explanation['operations']): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { kind, name, member, reason, held, changes } of operations) {
    const what = member === null ? kind : `${kind === 'addMembers' ? 'add to' : 'take out of'} ${name}`;
    lines.push(`${what}: ${reason}${held === null ? '' : `, held by ${held}`}`);
    const isShown = kind !== 'deactivate' && kind !== 'delete';
    for (const change of isShown ? changes : []) {
      lines.push(`  ${await formatChange(change, { whole: false, findName: async () => null })}`);
    }
  }
  return lines;
}
