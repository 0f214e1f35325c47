/** What Microsoft's mapping editor calls attributes of users otherwise than Graph, whose records a directory is read as. */
import { readToken } from '../expression/lexer.ts';

/** Name in the editor → path in a record of Graph. */
const GRAPH_NAMES: ReadonlyMap<string, string> = new Map([
  ['objectId', 'id'],
  ['mobile', 'mobilePhone'],
  ['telephoneNumber', 'businessPhones[0]'],
  ['facsimileTelephoneNumber', 'faxNumber'],
  ['physicalDeliveryOfficeName', 'officeLocation'],
  ...Array.from({ length: 15 }, (_, index) => {
    const name = `extensionAttribute${index + 1}`;
    return [name, `onPremisesExtensionAttributes.${name}`] as const;
  }),
]);

/** `portal`: every name word for word. `graph`: names of Graph's records in place of the editor's. */
export type Naming = 'portal' | 'graph';

export function toSourceName(name: string, naming: Naming): string {
  return naming === 'graph' ? (GRAPH_NAMES.get(name) ?? name) : name;
}

/** The same for an expression: nothing of it is changed but names of attributes. */
export function renameAttributes(expression: string, naming: Naming): string {
  if (naming === 'portal') return expression;
  let renamed = '';
  let copied = 0;
  for (let token = readToken(expression, 0); token.kind !== 'end'; token = readToken(expression, token.end)) {
    if (token.kind !== 'attribute' || !GRAPH_NAMES.has(token.value)) continue;
    renamed += `${expression.slice(copied, token.start)}[${toSourceName(token.value, naming)}]`;
    copied = token.end;
  }
  return renamed + expression.slice(copied);
}
