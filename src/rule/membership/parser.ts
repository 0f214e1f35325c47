/**
 * Parser of Entra's language of dynamic membership. Precedence, highest first: comparisons, -not, -and, -or; -any and
 * -all take the parenthesised condition, or the one condition, that follows them.
 */

import type { Position } from '../../text-error.ts';
import {
  COMPARISONS,
  type Comparison,
  type PropertyNode,
  QUANTIFIERS,
  type Quantifier,
  type Rule,
  type ValueNode,
} from './ast.ts';
import { RuleError } from './error.ts';
import { positionOf, readToken, type Token } from './lexer.ts';

/** Entra's own limit. */
const MAX_RULE = 3072;
const MAX_DEPTH = 100;

/** Throws RuleError, and nothing else, for a text that is no rule. */
export function parseRule(source: string): Rule {
  if (source.length > MAX_RULE) {
    const at = positionOf(source, MAX_RULE, source.length);
    throw new RuleError(`a rule has at most ${MAX_RULE} characters`, at);
  }
  const parser = new Parser(source);
  const rule = parser.readRule();
  parser.expectEnd();
  return rule;
}

class Parser {
  readonly #source: string;
  #token: Token;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#token = readToken(source, 0);
  }

  readRule(): Rule {
    return this.#isWord('direct') ? this.#readDirectReports() : this.#readOr();
  }

  expectEnd(): void {
    if (this.#isEnd()) return;
    if (this.#token.value === ')') this.#fail('there is no "(" that this closes');
    this.#fail(`expected -and, -or or the end, but found ${this.#describe()}`);
  }

  #readDirectReports(): Rule {
    const start = this.#take();
    for (const word of ['reports', 'for']) {
      if (!this.#isWord(word)) this.#fail('expected: Direct Reports for "<object id of the manager>"');
      this.#take();
    }
    if (this.#token.kind !== 'text' || this.#token.value === '') {
      this.#fail('expected the object id of the manager in quotes');
    }
    const { value } = this.#take();
    if (!this.#isEnd()) this.#fail('"Direct Reports for" cannot be combined with other conditions');
    return { kind: 'DirectReports', manager: value, position: this.#at(start) };
  }

  #readOr(): Rule {
    return this.#readLogical('or', () => this.#readLogical('and', () => this.#readNot()));
  }

  #readLogical(word: 'and' | 'or', readOperand: () => Rule): Rule {
    let left = readOperand();
    while (this.#isOperator(word)) {
      const position = this.#at(this.#take());
      left = { kind: 'Logical', operator: `-${word}`, left, right: readOperand(), position };
    }
    return left;
  }

  #readNot(): Rule {
    if (!this.#isOperator('not')) return this.#readPrimary();
    const position = this.#at(this.#take());
    return { kind: 'Not', operand: this.#readPrimary(), position };
  }

  #readPrimary(): Rule {
    return this.#isSymbol('(') ? this.#readParentheses() : this.#readCondition();
  }

  #readParentheses(): Rule {
    const open = this.#take();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new RuleError(`parentheses are nested more than ${MAX_DEPTH} deep`, this.#at(open));
    }
    const rule = this.#readOr();
    if (!this.#isSymbol(')')) this.#fail(`expected ")" or -and or -or, but found ${this.#describe()}`);
    this.#take();
    this.#depth -= 1;
    return rule;
  }

  #readCondition(): Rule {
    const property = this.#readProperty();
    const quantifier = this.#findOperator(QUANTIFIERS);
    if (quantifier !== undefined) return this.#readQuantified(property, quantifier);
    const operator = this.#findOperator(COMPARISONS);
    if (operator === undefined) this.#refuseOperator();
    this.#take();
    return { kind: 'Condition', property, operator, value: this.#readValue(), position: property.position };
  }

  #readQuantified(property: PropertyNode, quantifier: Quantifier): Rule {
    this.#take();
    const condition = this.#readPrimary();
    return { kind: 'Quantified', property, quantifier, condition, position: property.position };
  }

  #readProperty(): PropertyNode {
    const { kind, value } = this.#token;
    if (kind === 'text' || kind === 'literal' || /^(?:true|false|\$?null)$/i.test(value)) {
      this.#fail('a condition is a property, an operator and a value, in this order');
    }
    if (kind !== 'word') this.#fail(`expected a property such as user.department, but found ${this.#describe()}`);
    return { text: value, position: this.#at(this.#take()) };
  }

  #refuseOperator(): never {
    if (this.#isOperator('not')) {
      this.#fail('-not stands before a condition; compare with null by -eq null or -ne null');
    }
    if (this.#token.kind === 'operator') {
      this.#fail(`there is no operator -${this.#token.value}; there are ${[...COMPARISONS, ...QUANTIFIERS].join(' ')}`);
    }
    this.#fail(`expected an operator such as -eq, but found ${this.#describe()}`);
  }

  #readValue(): ValueNode {
    const { kind, value } = this.#token;
    if (this.#isSymbol('[')) return this.#readList();
    if (kind === 'text') return { kind: 'Text', value, position: this.#at(this.#take()) };
    if (kind === 'literal') return { kind: 'Word', value, position: this.#at(this.#take()) };
    if (kind === 'word') return this.#readWord();
    if (this.#isOperator('not')) this.#fail('-not is no value; compare with null by -eq null or -ne null');
    this.#fail(`expected a value, but found ${this.#describe()}`);
  }

  #readWord(): ValueNode {
    const word = this.#token.value.toLowerCase();
    if (word === 'null' || word === '$null') return { kind: 'Null', position: this.#at(this.#take()) };
    if (word === 'true' || word === 'false') return { kind: 'Word', value: word, position: this.#at(this.#take()) };
    if (word === 'system.now') return this.#readNow();
    if (word === 'not') this.#fail('-not is no value; compare with null by -eq null or -ne null');
    this.#fail(`a text stands between quotes: ${JSON.stringify(this.#token.value)}`);
  }

  #readNow(): ValueNode {
    const position = this.#at(this.#take());
    if (!this.#isOperator('plus')) return { kind: 'Now', plus: null, position };
    this.#take();
    if (this.#token.kind !== 'word') this.#fail('expected an ISO 8601 duration such as p1d after -plus');
    return { kind: 'Now', plus: this.#take().value, position };
  }

  #readList(): ValueNode {
    const position = this.#at(this.#take());
    const values: ValueNode[] = [];
    for (;;) {
      if (this.#isSymbol('[')) this.#fail('a list cannot hold a list');
      values.push(this.#readValue());
      if (this.#isSymbol(']')) break;
      if (!this.#isSymbol(',')) this.#fail(`expected "," or "]", but found ${this.#describe()}`);
      this.#take();
    }
    this.#take();
    return { kind: 'List', values, position };
  }

  /** The operator of the list that the token is, if it is one. */
  #findOperator<T extends Comparison | Quantifier>(operators: readonly T[]): T | undefined {
    return operators.find((operator) => this.#isOperator(operator.slice(1).toLowerCase()));
  }

  /** With or without its hyphen. */
  #isOperator(name: string): boolean {
    const { kind, value } = this.#token;
    return (kind === 'operator' || kind === 'word') && value.toLowerCase() === name;
  }

  #isWord(word: string): boolean {
    return this.#token.kind === 'word' && this.#token.value.toLowerCase() === word;
  }

  #isEnd(): boolean {
    return this.#token.kind === 'end';
  }

  #isSymbol(symbol: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.value === symbol;
  }

  #take(): Token {
    const taken = this.#token;
    this.#token = readToken(this.#source, taken.end);
    return taken;
  }

  #at({ start, end }: Token): Position {
    return positionOf(this.#source, start, end);
  }

  #describe(): string {
    const { kind, start, end } = this.#token;
    return kind === 'end' ? 'the end' : JSON.stringify(this.#source.slice(start, end));
  }

  #fail(detail: string): never {
    throw new RuleError(detail, this.#at(this.#token));
  }
}
