/** The extension that Microsoft's SCIM API of Entra ID requires of every user. */
import { type SchemaDefinition, toAttributeDefinition } from './schema.ts';

/** Its other attributes are declared by a CustomAttribute where somebody wants them. */
export const ENTRA_USER: SchemaDefinition = {
  id: 'urn:ietf:params:scim:schemas:extension:Microsoft:Entra:2.0:User',
  name: 'EntraUser',
  description: 'User of Microsoft Entra ID',
  attributes: [toAttributeDefinition('mailNickname', 'String', 'The mail alias of the user.')],
};
