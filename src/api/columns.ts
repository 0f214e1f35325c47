/** What `kubectl get` and `dirsync get` print: one table for both. */
import type { Kind } from './metadata.ts';
import { toFields } from './rules.ts';

export interface PrinterColumn {
  /** kubectl shows it in capitals. */
  readonly name: string;
  /** Path of the value: dots, and `[?(@.type=="…")]` for conditions. */
  readonly jsonPath: string;
  /** `date`: shown as the time since then. kubectl cannot show a date to come, so that one is a string. */
  readonly type: 'string' | 'integer' | 'date';
  /** Only with `-o wide`. */
  readonly wide?: true;
  readonly description: string;
}

function condition(type: string, field: 'status' | 'reason'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`;
}

function health(type: 'Ready' | 'Valid'): PrinterColumn[] {
  return [
    {
      name: type,
      jsonPath: condition(type, 'status'),
      type: 'string',
      description: `Status of the condition ${type}.`,
    },
    { name: 'Status', jsonPath: condition(type, 'reason'), type: 'string', description: 'Its reason.' },
  ];
}

const AGE: PrinterColumn = {
  name: 'Age',
  jsonPath: '.metadata.creationTimestamp',
  type: 'date',
  description: 'Time since the resource was created.',
};

/** In the order in which they are printed. */
export const PRINTER_COLUMNS: Readonly<Record<Kind, readonly PrinterColumn[]>> = {
  DirectorySync: [
    ...health('Ready'),
    { name: 'Source', jsonPath: '.status.source.provider', type: 'string', description: 'Provider of the source.' },
    { name: 'Target', jsonPath: '.status.target.host', type: 'string', description: 'Host of the target.' },
    {
      name: 'Users',
      jsonPath: '.status.users.active',
      type: 'integer',
      description: 'Owned people active in the target.',
    },
    { name: 'Teams', jsonPath: '.status.teams.managed', type: 'integer', description: 'Owned teams.' },
    {
      name: 'Held',
      jsonPath: '.status.held.count',
      type: 'integer',
      description: 'Operations that wait for approval.',
    },
    { name: 'Last Sync', jsonPath: '.status.lastRun.finishedAt', type: 'date', description: 'End of the last run.' },
    AGE,
    { name: 'Mode', jsonPath: '.spec.mode', type: 'string', wide: true, description: 'Apply or Plan.' },
    {
      name: 'Next Sync',
      jsonPath: '.status.nextRunAt',
      type: 'string',
      wide: true,
      description: 'When the next run is due.',
    },
    {
      name: 'Failed',
      jsonPath: '.status.users.failed',
      type: 'integer',
      wide: true,
      description: 'People whose record failed.',
    },
    {
      name: 'Plan',
      jsonPath: '.status.plan.summary',
      type: 'string',
      wide: true,
      description: 'What the last run planned.',
    },
  ],
  AttributeMapping: [
    ...health('Valid'),
    { name: 'Resource', jsonPath: '.spec.resource', type: 'string', description: 'What the mapping makes.' },
    AGE,
  ],
  TeamRule: [
    ...health('Ready'),
    {
      name: 'Sync',
      jsonPath: '.spec.directorySyncRef.name',
      type: 'string',
      description: 'The DirectorySync it belongs to.',
    },
    { name: 'Teams', jsonPath: '.status.teams', type: 'integer', description: 'Teams that the rule makes.' },
    { name: 'Members', jsonPath: '.status.members', type: 'integer', description: 'Memberships in them.' },
    {
      name: 'Last Change',
      jsonPath: '.status.lastChange',
      type: 'date',
      wide: true,
      description: 'When they last changed.',
    },
    AGE,
  ],
  CustomAttribute: [
    ...health('Valid'),
    { name: 'Type', jsonPath: '.spec.type', type: 'string', description: 'Type of the value.' },
    {
      name: 'Left',
      jsonPath: '.status.deletion.left',
      type: 'integer',
      description: 'Under deletion: people who still have a value.',
    },
    { name: 'Path', jsonPath: '.spec.path', type: 'string', wide: true, description: 'Where it lives in the target.' },
    AGE,
  ],
};

const STEP = /\.(\w+)|\[\?\(@\.(\w+)=="([^"]*)"\)\]/y;

/** The value of a column, as `kubectl get` finds it; null where there is none. */
export function readColumn(resource: unknown, column: PrinterColumn): string | number | null {
  let value = resource;
  STEP.lastIndex = 0;
  for (let step = STEP.exec(column.jsonPath); step !== null; step = STEP.exec(column.jsonPath)) {
    const [, field, key, wanted] = step;
    if (field !== undefined) value = toFields(value)?.[field];
    else if (key !== undefined)
      value = Array.isArray(value) ? value.find((item) => toFields(item)?.[key] === wanted) : null;
  }
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}
