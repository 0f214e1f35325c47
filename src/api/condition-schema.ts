/** The parts of a status that all four kinds have. */
import { type Static, Type } from '@sinclair/typebox';
import { instant, list, object, oneOf, text, whole } from './schema.ts';

/** Longest message of a condition or event. */
export const MESSAGE_MAX_LENGTH = 1024;

const GENERATIONS = { minimum: -1, maximum: Number.MAX_SAFE_INTEGER };

export const ObservedGenerationSchema = Type.Optional(
  whole({
    ...GENERATIONS,
    description: 'Generation of the spec that the status speaks of; -1 while nobody has looked at the resource.',
  }),
);

const ConditionSchema = object(
  {
    type: text({ maxLength: 316, description: 'Kind of the condition, such as `Ready`.' }),
    status: oneOf(['True', 'False', 'Unknown'] as const, { description: 'Whether it holds.' }),
    reason: text({
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      description: 'One word for why, for programs; docs/conditions.md lists them.',
    }),
    message: text({
      minLength: 0,
      maxLength: MESSAGE_MAX_LENGTH,
      description: 'Why, for people: stable, without secrets and without names or addresses of people.',
    }),
    lastTransitionTime: instant({ description: 'When `status` last changed.' }),
    observedGeneration: Type.Optional(
      whole({ ...GENERATIONS, description: 'Generation of the spec that the condition speaks of.' }),
    ),
  },
  { description: 'One aspect of the state.' },
);

/** As Kubernetes' `metav1.Condition`, with `observedGeneration` always set by `setCondition`. */
export type Condition = Static<typeof ConditionSchema>;
export type ConditionStatus = Condition['status'];

export const ConditionsSchema = Type.Optional(
  list(ConditionSchema, { maxItems: 16, key: 'type', description: 'State of the resource, one entry per type.' }),
);
