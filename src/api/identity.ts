/** What may be said of the identity of a DirectorySync: rules over the whole resource, because the default of `spec.id` is the name. */
import { type SchemaRule, toFields } from './rules.ts';

/** Writing the default out is no change. */
export const ID_IMMUTABLE_RULE: SchemaRule = {
  name: 'idImmutable',
  message: 'spec.id cannot be changed (it defaults to the name): links and ownership hang on it',
  cel: '(has(self.spec.id) ? self.spec.id : self.metadata.name) == (has(oldSelf.spec.id) ? oldSelf.spec.id : oldSelf.metadata.name)',
  fieldPath: '.spec.id',
  holds: (value, old) => old === undefined || toId(value) === toId(old),
};

export const ADOPT_FROM_RULE: SchemaRule = {
  name: 'adoptFromAnother',
  message: 'spec.adoptFrom must be another id than that of this resource',
  cel: '!has(self.spec.adoptFrom) || self.spec.adoptFrom != (has(self.spec.id) ? self.spec.id : self.metadata.name)',
  fieldPath: '.spec.adoptFrom',
  holds: (value) => toFields(toFields(value)?.['spec'])?.['adoptFrom'] !== toId(value),
};

function toId(resource: unknown): unknown {
  const fields = toFields(resource);
  return toFields(fields?.['spec'])?.['id'] ?? toFields(fields?.['metadata'])?.['name'];
}
