/** Which attributes a server knows at all (RFC 4512 section 4.2): what nobody has of them is null, and not unknown. */
import { type LdapEntry, readTexts, toEntry } from './entry.ts';
import { completeRanges } from './search.ts';
import type { Session } from './session.ts';

/** Names in small letters, of which an attribute may have several; none where the account may not see the schema. */
export async function readSchemaNames(session: Session): Promise<ReadonlySet<string>> {
  const root = await readBase(session, '', 'subschemaSubentry');
  const [dn] = root === null ? [] : readTexts(root, 'subschemaSubentry');
  const schema = dn === undefined ? null : await readBase(session, dn, 'attributeTypes');
  if (schema === null) return new Set();
  const whole = await completeRanges(session, schema, { what: 'the schema' });
  return new Set(readTexts(whole, 'attributeTypes').flatMap(listNames));
}

/** `( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )` → cn, commonname */
function listNames(definition: string): readonly string[] {
  const [, one, several = ''] = /\bNAME\s+(?:'([^']+)'|\(([^)]*)\))/.exec(definition) ?? [];
  const names = one === undefined ? [...several.matchAll(/'([^']+)'/g)].map(([, name = '']) => name) : [one];
  return names.map((name) => name.toLowerCase());
}

async function readBase(session: Session, baseDN: string, attribute: string): Promise<LdapEntry | null> {
  const answer = await session.search({ baseDN, scope: 'base', filter: '(objectClass=*)', attributes: [attribute] });
  return answer.code === 0 ? (answer.entries.map(toEntry)[0] ?? null) : null;
}
