/** What a tenant can be asked for of a person: the properties of Graph, and the directory extensions of its own applications. */
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { tryLook } from '../inspection.ts';
import type { SourceFinding, SourceSchema } from '../source.ts';
import { type GraphClient, PAGE_SIZE, VERSION } from './client.ts';
import { isExtension, ORDINARY_PROPERTIES, RESTRICTED, ROLES } from './properties.ts';
import type { Reading } from './read.ts';
import { readApplication } from './roles.ts';

/** What cannot be listed is left out, and a finding says how it is asked for. */
export async function readSchema({ client, config }: Reading, signal: AbortSignal): Promise<SourceSchema> {
  const extensions: string[] = [];
  const ofExtensions = await tryLook(
    {
      about: 'extensions',
      run: async () => {
        for await (const name of listExtensions(client, signal)) extensions.push(name);
        return extensions.length === 0
          ? 'no application of the tenant has any'
          : `${extensions.length} of applications of the tenant`;
      },
    },
    signal,
  );
  const { applicationId } = config;
  const ofRoles =
    applicationId === undefined
      ? null
      : await tryLook({ about: 'roles', run: () => describeApplication(client, applicationId, signal) }, signal);
  return {
    projection: [...ORDINARY_PROPERTIES, ...extensions, ...(ofRoles?.verdict === 'ok' ? [ROLES] : [])],
    findings: [toWarning(ofExtensions), ...(ofRoles === null ? [] : [toWarning(ofRoles)]), LEFT_OUT],
  };
}

async function describeApplication(client: GraphClient, applicationId: string, signal: AbortSignal): Promise<string> {
  return `of ${(await readApplication(client, applicationId, signal)).displayName}`;
}

/** People can be read all the same. */
function toWarning(finding: SourceFinding): SourceFinding {
  if (finding.verdict === 'ok') return finding;
  return { ...finding, verdict: 'warning', message: `${finding.message}; what is not listed can be asked for by name` };
}

const LEFT_OUT: SourceFinding = {
  verdict: 'ok',
  about: 'left out',
  message: `${Object.entries(RESTRICTED)
    .map(([name, permission]) => `${name} (${permission})`)
    .join(' and ')}, schema extensions, and extensions of applications of other tenants are asked for by name alone`,
};

/**
 * Of users. Lists of applications do not hold them; which have any is a question that Graph answers only to whoever takes
 * answers that are not up to the second.
 */
async function* listExtensions(client: GraphClient, signal: AbortSignal): AsyncGenerator<string> {
  const filter = { $filter: 'extensionProperties/$count ne 0', $count: 'true', $select: 'id', $top: String(PAGE_SIZE) };
  const owners = {
    path: `${VERSION}/applications`,
    query: filter,
    headers: { consistencylevel: 'eventual' },
    what: 'the extensions of applications',
  } as const;
  for await (const { items } of client.list(owners, signal)) {
    for (const owner of items) {
      const id = isObject(owner) ? owner['id'] : null;
      if (typeof id === 'string') yield* listOf(client, id, signal);
    }
  }
}

async function* listOf(client: GraphClient, application: string, signal: AbortSignal): AsyncGenerator<string> {
  const request = {
    path: `${VERSION}/applications/${encodeURIComponent(application)}/extensionProperties`,
    query: { $select: 'name,targetObjects' },
    what: 'the extensions of applications',
  } as const;
  for await (const { items } of client.list(request, signal)) {
    yield* items
      .filter(isObject)
      .flatMap(({ name = null, targetObjects = null }) => toUserExtension(name, targetObjects));
  }
}

function toUserExtension(name: Json, targets: Json): readonly string[] {
  const isOfUsers = Array.isArray(targets) && targets.includes('User');
  return typeof name === 'string' && isOfUsers && isExtension(name) ? [name] : [];
}
