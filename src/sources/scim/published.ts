/** Which attributes of users a SCIM service says that it has (RFC 7643 section 7). */
import type { Json } from '../../model.ts';
import { type AttributeDefinition, fromScimSchemaResource, URN_GROUP, URN_USER } from '../../scim/schema.ts';

/**
 * Dotted names, those of extensions behind their URN; empty for what is no list of schemas. Never `active`: without it in
 * any record everybody would pass for active, so that it counts only where it was seen.
 */
export function listPublishedNames(resources: readonly Json[]): readonly string[] {
  return resources.flatMap((resource) => {
    const schema = fromScimSchemaResource(resource);
    // Beside users there are groups, and what the service says of itself.
    if (schema === null || schema.id === URN_GROUP || isOfService(schema.id)) return [];
    if (schema.id === URN_USER) return listNames(schema.attributes, '').filter((name) => name !== 'active');
    return [schema.id, ...listNames(schema.attributes, `${schema.id}.`)];
  });
}

function isOfService(id: string): boolean {
  return id.startsWith('urn:ietf:params:scim:schemas:core:') && id !== URN_USER;
}

/** What stands in lists has no names. */
function listNames(attributes: readonly AttributeDefinition[], prefix: string): readonly string[] {
  const shown = attributes.filter(({ returned }) => returned !== 'never');
  return shown.flatMap(({ name, multiValued, subAttributes }) => [
    `${prefix}${name}`,
    ...(multiValued ? [] : listNames(subAttributes, `${prefix}${name}.`)),
  ]);
}
