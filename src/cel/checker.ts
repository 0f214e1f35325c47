/**
 * Types of an expression before anybody's values are known. The library checks none but constants and names, so this
 * follows the language definition: every name is declared, every call has an overload, every comparison could hold.
 */
import { computeNearestName } from '../nearest-name.ts';
import { CelProblem } from './error.ts';
import { compileRe2 } from './functions.ts';
import type { CelExpr, CelFunc, CelLibrary, CelType } from './library.ts';

export interface CheckContext {
  readonly library: CelLibrary;
  readonly source: string;
  /** Offsets of expressions in the source, by their ids. */
  readonly positions: Readonly<Record<string, number>>;
  readonly variables: Readonly<Record<string, CelType>>;
  /** Variables of which names are asked for, one by one. */
  readonly records: readonly string[];
  readonly functions: ReadonlyMap<string, readonly CelFunc[]>;
}

export interface Checked {
  readonly type: CelType;
  /** Names asked for, by variable, in order of appearance. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  readonly variables: ReadonlySet<string>;
}

/** Throws CelProblem for the first thing that is wrong. */
export function checkExpression(expr: CelExpr, context: CheckContext): Checked {
  const checker = new Checker(context);
  const type = checker.check(expr, new Map());
  return { type, names: checker.names, variables: checker.used };
}

/** Variables of the comprehensions around an expression. */
type Scope = ReadonlyMap<string, CelType>;
type ExprOf<K> = Extract<CelExpr['exprKind'], { case: K }>['value'];

const TYPE_NAMES: ReadonlySet<string> = new Set(
  ['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint'].concat([
    'google.protobuf.Timestamp',
    'google.protobuf.Duration',
  ]),
);
const NUMBERS: readonly string[] = ['int', 'uint', 'double'];
const OPERATOR_NAMES: Readonly<Record<string, string>> = { '@in': 'in', '_?_:_': '?:', '_[_]': '[]' };

class Checker {
  readonly names = new Map<string, Set<string>>();
  readonly used = new Set<string>();
  readonly #context: CheckContext;
  readonly #dyn: CelType;
  readonly #bool: CelType;

  constructor(context: CheckContext) {
    this.#context = context;
    this.#dyn = context.library.CelScalar.DYN;
    this.#bool = context.library.CelScalar.BOOL;
  }

  check(expr: CelExpr | undefined, scope: Scope): CelType {
    const kind = expr?.exprKind;
    if (expr === undefined || kind === undefined) return this.#dyn;
    switch (kind.case) {
      case 'constExpr':
        return this.#checkConstant(kind.value);
      case 'identExpr':
        return this.#checkName(expr, kind.value.name, scope);
      case 'selectExpr':
        return this.#checkSelect(expr, kind.value, scope);
      case 'callExpr':
        return this.#checkCall(expr, kind.value, scope);
      case 'listExpr':
        return this.#context.library.listType(this.#join(kind.value.elements.map((each) => this.check(each, scope))));
      case 'structExpr':
        return this.#checkMap(expr, kind.value, scope);
      case 'comprehensionExpr':
        return this.#checkComprehension(expr, kind.value, scope);
      default:
        return this.#dyn;
    }
  }

  #checkConstant(constant: ExprOf<'constExpr'>): CelType {
    const { CelScalar } = this.#context.library;
    const types: Readonly<Record<string, CelType>> = {
      boolValue: CelScalar.BOOL,
      bytesValue: CelScalar.BYTES,
      doubleValue: CelScalar.DOUBLE,
      int64Value: CelScalar.INT,
      nullValue: CelScalar.NULL,
      stringValue: CelScalar.STRING,
      uint64Value: CelScalar.UINT,
    };
    return types[constant.constantKind.case ?? ''] ?? this.#dyn;
  }

  #checkName(expr: CelExpr, name: string, scope: Scope): CelType {
    const local = scope.get(name);
    if (local !== undefined) return local;
    const { variables, records, library } = this.#context;
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (variable !== undefined) {
      if (records.includes(name)) {
        this.#fail(expr, `${name} is asked by names: ${name}.department or ${name}["cost center"]`);
      }
      this.used.add(name);
      return variable;
    }
    if (TYPE_NAMES.has(name)) return library.CelScalar.TYPE;
    const nearest = computeNearestName(name, Object.keys(variables));
    const known =
      nearest === null ? `; there are ${Object.keys(variables).join(', ')}` : `; did you mean "${nearest}"?`;
    this.#fail(expr, `undeclared reference to "${name}"${known}`);
  }

  /** `user.department`, and `user["department"]` below. */
  #findRecord(operand: CelExpr | undefined, scope: Scope): string | undefined {
    if (operand?.exprKind.case !== 'identExpr') return undefined;
    const { name } = operand.exprKind.value;
    return this.#context.records.includes(name) && !scope.has(name) ? name : undefined;
  }

  #note(record: string, name: string): CelType {
    const names = this.names.get(record) ?? new Set();
    this.names.set(record, names.add(name));
    this.used.add(record);
    return this.#dyn;
  }

  #checkSelect(expr: CelExpr, { operand, field, testOnly }: ExprOf<'selectExpr'>, scope: Scope): CelType {
    const record = this.#findRecord(operand, scope);
    if (record !== undefined) {
      this.#note(record, field);
      return testOnly ? this.#bool : this.#dyn;
    }
    const qualified = toQualifiedName(expr);
    if (qualified !== undefined && TYPE_NAMES.has(qualified)) return this.#context.library.CelScalar.TYPE;
    const type = this.check(operand, scope);
    if (type.kind !== 'map' && type.name !== 'dyn') {
      this.#fail(expr, `a value of type ${type.toString()} has no field "${field}"`);
    }
    return testOnly ? this.#bool : type.kind === 'map' ? type.value : this.#dyn;
  }

  #checkMap(expr: CelExpr, { messageName, entries }: ExprOf<'structExpr'>, scope: Scope): CelType {
    if (messageName !== '')
      this.#fail(expr, `there is no message "${messageName}"; a map is written as {"key": value}`);
    for (const { keyKind } of entries) if (keyKind.case === 'mapKey') this.check(keyKind.value, scope);
    const values = entries.map(({ value }) => this.check(value, scope));
    return this.#context.library.mapType(this.#context.library.CelScalar.DYN, this.#join(values));
  }

  #checkComprehension(expr: CelExpr, fold: ExprOf<'comprehensionExpr'>, scope: Scope): CelType {
    const range = this.check(fold.iterRange, scope);
    if (range.kind !== 'list' && range.kind !== 'map' && range.name !== 'dyn') {
      this.#fail(fold.iterRange ?? expr, `a value of type ${range.toString()} has no elements to go through`);
    }
    const item = range.kind === 'list' ? range.element : range.kind === 'map' ? range.key : this.#dyn;
    const start = this.check(fold.accuInit, scope);
    const inner = new Map([...scope, [fold.iterVar, item], [fold.accuVar, start]]);
    this.#expectBool(fold.loopCondition, inner);
    const step = this.check(fold.loopStep, inner);
    return this.check(fold.result, new Map([...scope, [fold.accuVar, this.#join([start, step])]]));
  }

  #checkCall(expr: CelExpr, call: ExprOf<'callExpr'>, scope: Scope): CelType {
    switch (call.function) {
      case '_&&_':
      case '_||_':
      case '!_':
      case '@not_strictly_false':
        for (const arg of call.args) this.#expectBool(arg, scope);
        return this.#bool;
      case '_?_:_':
        this.#expectBool(call.args[0], scope);
        return this.#join(call.args.slice(1).map((arg) => this.check(arg, scope)));
      case '_[_]':
        return this.#checkIndex(expr, call, scope);
      case '_==_':
      case '_!=_':
        return this.#checkEquality(expr, call, scope);
      case '@in':
        return this.#checkIn(expr, call, scope);
      default:
        return this.#checkFunction(expr, call, scope);
    }
  }

  #expectBool(expr: CelExpr | undefined, scope: Scope): void {
    const type = this.check(expr, scope);
    if (expr === undefined || type.name === 'bool' || type.name === 'dyn') return;
    this.#fail(expr, `expected true or false, but this is of type ${type.toString()}`);
  }

  #checkIndex(expr: CelExpr, { args: [operand, index] }: ExprOf<'callExpr'>, scope: Scope): CelType {
    const record = this.#findRecord(operand, scope);
    if (record !== undefined) {
      const name = toText(index);
      if (name === undefined) this.#fail(index ?? expr, `${record} is asked by names: ${record}["cost center"]`);
      return this.#note(record, name);
    }
    const [type, key] = [this.check(operand, scope), this.check(index, scope)];
    if (type.name === 'dyn') return this.#dyn;
    if (type.kind === 'map' && isAssignable(key, type.key)) return type.value;
    if (type.kind === 'list' && (key.name === 'dyn' || NUMBERS.includes(key.name))) return type.element;
    this.#fail(expr, this.#noOverload('_[_]', undefined, [type, key]));
  }

  #checkEquality(expr: CelExpr, { function: name, args }: ExprOf<'callExpr'>, scope: Scope): CelType {
    const [left, right] = args.map((arg) => this.check(arg, scope));
    if (left === undefined || right === undefined || isComparable(left, right)) return this.#bool;
    this.#fail(expr, this.#noOverload(name, undefined, [left, right]));
  }

  #checkIn(expr: CelExpr, { function: name, args }: ExprOf<'callExpr'>, scope: Scope): CelType {
    const [item, range] = args.map((arg) => this.check(arg, scope));
    if (item === undefined || range === undefined || range.name === 'dyn') return this.#bool;
    if (range.kind === 'list' && isComparable(item, range.element)) return this.#bool;
    if (range.kind === 'map' && isComparable(item, range.key)) return this.#bool;
    this.#fail(expr, this.#noOverload(name, undefined, [item, range]));
  }

  #checkFunction(expr: CelExpr, { function: name, target, args }: ExprOf<'callExpr'>, scope: Scope): CelType {
    const { functions } = this.#context;
    const space = target === undefined ? undefined : toQualifiedName(target);
    const qualified = space === undefined || scope.has(space) ? undefined : `${space}.${name}`;
    if (qualified !== undefined && functions.has(qualified)) {
      return this.#checkOverloads(expr, { name: qualified, target: undefined, types: this.#all(args, scope) });
    }
    const type = target === undefined ? undefined : this.check(target, scope);
    if (name === 'matches') this.#checkPattern(args[0]);
    return this.#checkOverloads(expr, { name, target: type, types: this.#all(args, scope) });
  }

  #all(exprs: readonly CelExpr[], scope: Scope): readonly CelType[] {
    return exprs.map((each) => this.check(each, scope));
  }

  #checkOverloads(
    expr: CelExpr,
    { name, target, types }: { name: string; target: CelType | undefined; types: readonly CelType[] },
  ): CelType {
    const overloads = this.#context.functions.get(name);
    if (overloads === undefined) {
      const nearest = computeNearestName(name, this.#context.functions.keys());
      this.#fail(expr, `undeclared function "${name}"${nearest === null ? '' : `; did you mean "${nearest}"?`}`);
    }
    const fitting = overloads.filter(
      (each) =>
        (each.target === undefined) === (target === undefined) &&
        (target === undefined || each.target === undefined || isAssignable(target, each.target)) &&
        each.arguments.length === types.length &&
        each.arguments.every((wanted, index) => isAssignable(types[index] ?? this.#dyn, wanted)),
    );
    if (fitting.length === 0) this.#fail(expr, this.#noOverload(name, target, types));
    return this.#join(fitting.map(({ result }) => result));
  }

  #checkPattern(pattern: CelExpr | undefined): void {
    const text = toText(pattern);
    if (text === undefined || pattern === undefined) return;
    try {
      compileRe2(text);
    } catch (thrown) {
      this.#fail(pattern, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  /** The type of all, `dyn` where they differ. */
  #join(types: readonly CelType[]): CelType {
    const [first] = types;
    return first !== undefined && types.every((type) => type.toString() === first.toString()) ? first : this.#dyn;
  }

  #noOverload(name: string, target: CelType | undefined, types: readonly CelType[]): string {
    const shown = OPERATOR_NAMES[name] ?? name.replaceAll('_', name.startsWith('_') || name.endsWith('_') ? '' : '_');
    const signature = `${target === undefined ? '' : `${target.toString()}.`}(${types.map(String).join(', ')})`;
    return `no overload of "${shown}" takes ${signature}`;
  }

  #fail(expr: CelExpr, detail: string): never {
    const { source, positions } = this.#context;
    throw new CelProblem(detail, source, positions[String(expr.id)] ?? 0);
  }
}

/** A value of unknown type may be of any. */
function isAssignable(type: CelType, wanted: CelType): boolean {
  if (type.name === 'dyn' || wanted.name === 'dyn') return true;
  return type.name === wanted.name;
}

/** Numbers compare with each other, and null with whatever may be absent. */
function isComparable(left: CelType, right: CelType): boolean {
  if (isAssignable(left, right) || (NUMBERS.includes(left.name) && NUMBERS.includes(right.name))) return true;
  return left.name === 'null_type' || right.name === 'null_type';
}

function toText(expr: CelExpr | undefined): string | undefined {
  if (expr?.exprKind.case !== 'constExpr') return undefined;
  const { constantKind } = expr.exprKind.value;
  return constantKind.case === 'stringValue' ? constantKind.value : undefined;
}

function toQualifiedName(expr: CelExpr): string | undefined {
  if (expr.exprKind.case === 'identExpr') return expr.exprKind.value.name;
  if (expr.exprKind.case !== 'selectExpr' || expr.exprKind.value.testOnly) return undefined;
  const { operand, field } = expr.exprKind.value;
  const space = operand === undefined ? undefined : toQualifiedName(operand);
  return space === undefined ? undefined : `${space}.${field}`;
}
