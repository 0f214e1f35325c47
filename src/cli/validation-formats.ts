/** Problems for people, for programs, for GitHub's annotations and for code scanning. */
import { formatReference } from '../api/metadata.ts';
import { formatProblem, type Problem } from '../local/problem.ts';
import type { CliIo } from './io.ts';
import { toRepositoryPath } from './problems.ts';
import { readVersion } from './session.ts';
import type { Validation } from './validation.ts';
import { formatCount } from './wording.ts';

type Format = (validation: Validation, io: Pick<CliIo, 'cwd'>) => string;

function count(problems: readonly Problem[], severity: Problem['severity']): number {
  return problems.filter((problem) => problem.severity === severity).length;
}

function summarize({ problems, resources }: Validation): string {
  const errors = count(problems, 'error');
  const warnings = count(problems, 'warning');
  const behind = warnings === 0 ? '' : `, ${formatCount(warnings, 'warning')}`;
  if (errors > 0) return `${formatCount(errors, 'error')}${behind} in ${formatCount(resources, 'resource')}`;
  return `${formatCount(resources, 'resource is', 'resources are')} valid${behind}`;
}

const toText: Format = (validation) =>
  [...validation.problems.map(formatProblem), summarize(validation)].map((line) => `${line}\n`).join('');

const toJson: Format = (validation) => {
  const { problems, resources } = validation;
  return `${JSON.stringify({ valid: count(problems, 'error') === 0, resources, problems }, null, 2)}\n`;
};

/** https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
const toGithub: Format = ({ problems }, io) => {
  const escapeData = (text: string): string =>
    text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return problems
    .map(({ severity, file, line, column, message }) => {
      const place = `file=${escapeProperty(toRepositoryPath(io, file))},line=${line},col=${column}`;
      return `::${severity} ${place}::${escapeData(message)}\n`;
    })
    .join('');
};

/** SARIF 2.1.0, as GitHub's code scanning takes it. */
const toSarif: Format = ({ problems }, io) => {
  const results = problems.map(({ severity, file, line, column, message, resource }) => ({
    ruleId: 'dirsync/validate',
    level: severity,
    message: { text: resource === undefined ? message : `${formatReference(resource)}: ${message}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(toRepositoryPath(io, file)) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  }));
  const rules = [{ id: 'dirsync/validate', shortDescription: { text: 'A manifest of Dirsync is wrong' } }];
  const driver = { name: 'dirsync', version: readVersion(), rules };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
};

export const VALIDATION_FORMATS = { text: toText, json: toJson, github: toGithub, sarif: toSarif } as const;
export type ValidationFormat = keyof typeof VALIDATION_FORMATS;
