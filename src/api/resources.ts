/** The four kinds side by side, for whoever treats them alike: validation, CRDs, field reference, local files. */
import type { TObject } from '@sinclair/typebox';
import {
  type AttributeMappingResource,
  AttributeMappingSpecSchema,
  AttributeMappingStatusSchema,
} from './attribute-mapping.ts';
import {
  type CustomAttributeResource,
  CustomAttributeSpecSchema,
  CustomAttributeStatusSchema,
} from './custom-attribute.ts';
import { type DirectorySyncResource, DirectorySyncSpecSchema } from './directory-sync.ts';
import { DirectorySyncStatusSchema } from './directory-sync-status.ts';
import { ADOPT_FROM_RULE, ID_IMMUTABLE_RULE } from './identity.ts';
import type { Kind } from './metadata.ts';
import type { SchemaRule } from './rules.ts';
import { type TeamRuleResource, TeamRuleSpecSchema, TeamRuleStatusSchema } from './team-rule.ts';

export interface ResourceByKind {
  readonly DirectorySync: DirectorySyncResource;
  readonly AttributeMapping: AttributeMappingResource;
  readonly TeamRule: TeamRuleResource;
  readonly CustomAttribute: CustomAttributeResource;
}

export type Resource = ResourceByKind[Kind];

interface ResourceSchemas {
  /** One sentence for the CRD and the field reference. */
  readonly description: string;
  readonly spec: TObject;
  readonly status: TObject;
  /** Rules over the whole resource. */
  readonly rules: readonly SchemaRule[];
}

export const RESOURCE_SCHEMAS: Readonly<Record<Kind, ResourceSchemas>> = {
  DirectorySync: {
    description: 'A DirectorySync says which people of a source directory an application must have.',
    spec: DirectorySyncSpecSchema,
    status: DirectorySyncStatusSchema,
    rules: [ID_IMMUTABLE_RULE, ADOPT_FROM_RULE],
  },
  AttributeMapping: {
    description: 'An AttributeMapping says how users of the target are made from people of the source.',
    spec: AttributeMappingSpecSchema,
    status: AttributeMappingStatusSchema,
    rules: [],
  },
  TeamRule: {
    description: 'A TeamRule says which teams there are and who belongs to them.',
    spec: TeamRuleSpecSchema,
    status: TeamRuleStatusSchema,
    rules: [],
  },
  CustomAttribute: {
    description: 'A CustomAttribute describes an attribute of the target beyond the standard ones.',
    spec: CustomAttributeSpecSchema,
    status: CustomAttributeStatusSchema,
    rules: [],
  },
};
