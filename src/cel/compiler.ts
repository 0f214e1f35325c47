/** CEL as Kubernetes knows it, with the strings and sets extensions: parsed, type-checked, and run at a bounded cost. */
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { checkExpression } from './checker.ts';
import { CelProblem } from './error.ts';
import { createFunctions } from './functions.ts';
import { type CelExpr, type CelFunc, type CelLibrary, type CelType, type CelValue, loadLibrary } from './library.ts';
import { CostMeter, sizeOf } from './meter.ts';
import { type Conversion, toCel, toJson } from './values.ts';

/** `user`, `group` and `desired` are asked by names, `groups` are names of groups of the source, `now` is the run's moment. */
export type CelVariable = 'user' | 'group' | 'desired' | 'groups' | 'now';

export interface CelValues {
  readonly user?: ReadonlyMap<string, Json>;
  readonly group?: ReadonlyMap<string, Json>;
  readonly desired?: ReadonlyMap<string, Json>;
  readonly groups?: readonly string[];
  readonly now?: Date;
}

export interface CompiledCel {
  /** Names that are asked of `user`, as written, each once. */
  readonly user: readonly string[];
  readonly group: readonly string[];
  readonly desired: readonly string[];
  readonly groups: boolean;
  /** Throws SyncError `RecordInvalid` where these values cannot be judged, or would cost too much. */
  evaluate(values: CelValues): Json;
}

export interface CelOptions {
  readonly variables: readonly CelVariable[];
  /** `bool`: whoever wants true or false gets nothing else. */
  readonly result: 'bool' | 'any';
}

const TICK = '@tick';

/** Throws CelProblem, a SyncError `Invalid` with its place. */
export function compileCel(source: string, { variables, result }: CelOptions): CompiledCel {
  const { library, meter, env, functions, toText, stamp } = getEngine();
  const { expr, sourceInfo } = parseSource(source, library);
  const checked = checkExpression(expr, {
    library,
    source,
    positions: sourceInfo?.positions ?? {},
    variables: toTypes(variables, library),
    records: variables.filter((name) => name === 'user' || name === 'group' || name === 'desired'),
    functions,
  });
  if (result === 'bool' && checked.type.name !== 'bool' && checked.type.name !== 'dyn') {
    throw new CelProblem(`expected true or false, but this gives ${checked.type.toString()}`, source, 0);
  }
  countRounds(expr);
  const run = library.plan(env, expr);
  const bind = createBindings(checked.variables, stamp);
  return {
    user: [...(checked.names.get('user') ?? [])],
    group: [...(checked.names.get('group') ?? [])],
    desired: [...(checked.names.get('desired') ?? [])],
    groups: checked.variables.has('groups'),
    evaluate: (values) => {
      meter.start();
      const value = run(bind(values) as never);
      meter.check();
      return toResult(value as CelValue, result, { library, toText });
    },
  };
}

interface Engine {
  readonly library: CelLibrary;
  readonly meter: CostMeter;
  readonly env: ReturnType<CelLibrary['celEnv']>;
  readonly functions: ReadonlyMap<string, readonly CelFunc[]>;
  readonly toText: (value: CelValue) => unknown;
  readonly stamp: (text: string) => unknown;
}

let engine: Engine | null = null;

/** One for all expressions: it takes milliseconds to make. Nothing waits in an evaluation, so no two share the meter. */
function getEngine(): Engine {
  if (engine !== null) return engine;
  const library = loadLibrary();
  const meter = new CostMeter();
  const env = library.celEnv({ funcs: toMetered(library, meter) });
  const toText = library.plan(env, library.parse('string(value)'));
  const stamp = library.plan(env, library.parse('timestamp(text)'));
  engine = {
    library,
    meter,
    env,
    functions: toTable(env.funcs),
    toText: (value) => toText({ value: value as never }),
    stamp: (text) => stamp({ text }),
  };
  return engine;
}

function parseSource(source: string, library: CelLibrary): ReturnType<CelLibrary['parse']> {
  try {
    return library.parse(source);
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new CelProblem('the expression is nested too deep', source, 0);
    const at = (thrown as { location?: { start?: { offset?: number } } }).location?.start?.offset ?? 0;
    const rest = source.slice(at, at + 20).trim();
    const detail =
      rest === '' ? 'the expression is not complete' : `cannot be read from here on: ${JSON.stringify(rest)}`;
    throw new CelProblem(detail, source, at);
  }
}

function toTypes(variables: readonly CelVariable[], library: CelLibrary): Readonly<Record<string, CelType>> {
  const { CelScalar, mapType, listType, celEnv } = library;
  const record = mapType(CelScalar.STRING, CelScalar.DYN);
  const moment = [...celEnv().funcs].find(({ name }) => name === 'timestamp')?.result ?? CelScalar.DYN;
  const types: Record<CelVariable, CelType> = {
    user: record,
    group: record,
    desired: record,
    groups: listType(CelScalar.STRING),
    now: moment,
  };
  return Object.fromEntries(variables.map((name) => [name, types[name]]));
}

function toTable(functions: Iterable<CelFunc>): ReadonlyMap<string, readonly CelFunc[]> {
  const table = new Map<string, CelFunc[]>();
  for (const each of functions) table.set(each.name, [...(table.get(each.name) ?? []), each]);
  return table;
}

/** Every function and operator is charged for what it looks at before it does. */
function toMetered(library: CelLibrary, meter: CostMeter): CelFunc[] {
  const { celEnv, celFunc, CelScalar } = library;
  const all = [...celEnv({ funcs: [...createFunctions(library, meter)] }).funcs];
  const tick = celFunc(TICK, [CelScalar.BOOL], CelScalar.BOOL, (goesOn) => {
    meter.charge(0);
    return goesOn;
  });
  return [...all.map((each) => meterFunction(each, library, meter)), tick];
}

function meterFunction(each: CelFunc, library: CelLibrary, meter: CostMeter): CelFunc {
  const call: CelFunc['call'] = (id, target, args) => {
    meter.charge([target, ...args].reduce((size: number, value) => size + sizeOf(value, library), 0));
    return each.call(id, target, args);
  };
  return Object.create(each, { call: { value: call } }) as CelFunc;
}

/** Loops whose body calls nothing cost something too. */
function countRounds(expr: CelExpr | undefined): void {
  const kind = expr?.exprKind;
  if (kind?.case === 'comprehensionExpr' && kind.value.loopCondition !== undefined) {
    const { loopCondition } = kind.value;
    const call = { $typeName: 'cel.expr.Expr.Call' as const, function: TICK, args: [loopCondition] };
    kind.value.loopCondition = { ...loopCondition, exprKind: { case: 'callExpr', value: call } };
  }
  for (const child of toChildren(expr)) countRounds(child);
}

function toChildren(expr: CelExpr | undefined): readonly (CelExpr | undefined)[] {
  const kind = expr?.exprKind;
  switch (kind?.case) {
    case 'selectExpr':
      return [kind.value.operand];
    case 'callExpr':
      return [kind.value.target, ...kind.value.args];
    case 'listExpr':
      return kind.value.elements;
    case 'structExpr':
      return kind.value.entries.flatMap(({ keyKind, value }) => [
        keyKind.case === 'mapKey' ? keyKind.value : undefined,
        value,
      ]);
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      const inner = loopCondition?.exprKind.case === 'callExpr' ? loopCondition.exprKind.value.args : [];
      return [iterRange, accuInit, ...inner, loopStep, result];
    }
    default:
      return [];
  }
}

type Bind = (values: CelValues) => Readonly<Record<string, unknown>>;

/** Only what the expression uses. */
function createBindings(used: ReadonlySet<string>, toMoment: (text: string) => unknown): Bind {
  const toMap = (values: ReadonlyMap<string, Json> = new Map()) =>
    new Map([...values].map(([name, value]) => [name, toCel(value)] as const));
  return ({ user, group, desired, groups, now }) => ({
    ...(used.has('user') ? { user: toMap(user) } : {}),
    ...(used.has('group') ? { group: toMap(group) } : {}),
    ...(used.has('desired') ? { desired: toMap(desired) } : {}),
    ...(used.has('groups') ? { groups: groups ?? [] } : {}),
    ...(used.has('now') && now !== undefined ? { now: toMoment(now.toISOString()) } : {}),
  });
}

function toResult(value: CelValue, result: CelOptions['result'], conversion: Conversion): Json {
  if (conversion.library.isCelError(value)) throw new SyncError('RecordInvalid', explain(value.message));
  if (result === 'bool' && typeof value !== 'boolean') {
    throw new SyncError('RecordInvalid', 'the expression gives neither true nor false');
  }
  return toJson(value, conversion);
}

/** Most failures are about somebody who has no value. */
function explain(message: string): string {
  if (!message.includes('null_type')) return message;
  return `${message}; has(user.name) asks whether there is a value`;
}
