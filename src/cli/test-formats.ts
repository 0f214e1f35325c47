/** Results of MappingTests as text, JSON and JUnit XML. */

export interface TestResult {
  readonly name: string;
  readonly pass: boolean;
  /** What was expected and what came; null for a case that passed. */
  readonly message: string | null;
  /** `file:line:column` of the case. */
  readonly place: string;
}

export const TEST_FORMATS = { text: toText, json: toJson, junit: toJUnit } as const;
export type TestFormat = keyof typeof TEST_FORMATS;

function count(results: readonly TestResult[]): { passed: number; failed: number } {
  const passed = results.filter(({ pass }) => pass).length;
  return { passed, failed: results.length - passed };
}

function toText(results: readonly TestResult[]): string {
  const { passed, failed } = count(results);
  const lines = results.flatMap(({ name, pass, message, place }) =>
    pass ? [] : [`FAILED ${name}`, `  ${place}`, ...(message ?? '').split('\n').map((line) => `  ${line}`)],
  );
  return [...lines, `${passed} passed, ${failed} failed`, ''].join('\n');
}

function toJson(results: readonly TestResult[]): string {
  const shown = results.map(({ name, pass, message }) => ({ name, pass, message }));
  return `${JSON.stringify({ ...count(results), results: shown }, null, 2)}\n`;
}

function toJUnit(results: readonly TestResult[]): string {
  const { failed } = count(results);
  const cases = results.map(({ name, pass, message, place }) => {
    const attributes = `name="${toXml(name)}" classname="${toXml(place)}"`;
    if (pass) return `    <testcase ${attributes}/>`;
    return `    <testcase ${attributes}>\n      <failure message="${toXml(message ?? '')}"/>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${results.length}" failures="${failed}">`,
    `  <testsuite name="dirsync test" tests="${results.length}" failures="${failed}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

const PRINTED: ReadonlySet<string> = new Set(['\t', '\n', '\r']);

/** Most control characters are in no XML 1.0 document, however they are written (section 2.2). */
function toXml(text: string): string {
  return text
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (character) => (PRINTED.has(character) ? character : '\ufffd'))
    .replace(/[&<>"\n]/g, (character) => ENTITIES[character] ?? '');
}
