import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { type AuditEvent, connectCluster } from './cluster.ts';
import { CONTROLLER_USER } from './controller.ts';

const cluster = connectCluster(inject('cluster'));
const own = inject('cluster').own !== undefined;
const ROLE = join(import.meta.dirname, '../../config/rbac/controller-role.yaml');

interface Role {
  readonly rules: { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[];
}

async function readGranted(): Promise<Set<string>> {
  const { rules }: Role = parse(await readFile(ROLE, 'utf8'));
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  );
}

function toRight({ verb, objectRef }: AuditEvent): string {
  const { apiGroup = '', resource = '', subresource } = objectRef ?? {};
  return `${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

// The last file of the suite (vitest.cluster.config.ts), so that the log tells of everything that the controller ever did in it.
describe.runIf(own)('the rights of the controller, over the whole suite', () => {
  it('are those that it used, one by one, and it asked for no other', async () => {
    const asked = (await cluster.auditEvents()).filter(
      ({ user, objectRef }) => user.username === CONTROLLER_USER && objectRef !== undefined,
    );
    const granted = await readGranted();
    // An API server that has just started refuses for a moment what it grants: it does not know the roles yet.
    const served = asked.filter(({ responseStatus }) => responseStatus?.code !== 403);
    expect([...new Set(served.map(toRight))].toSorted()).toEqual([...granted].toSorted());
    expect([...new Set(asked.map(toRight))].filter((right) => !granted.has(right))).toEqual([]);
  });

  it('are used in the namespaces that it was told to follow, and nowhere else', async () => {
    const asked = (await cluster.auditEvents()).filter(
      ({ user, userAgent }) => user.username === CONTROLLER_USER && userAgent === 'dirsync-controller',
    );
    expect(asked.length).toBeGreaterThan(100);
    const writes = asked.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
    const namespaces = new Set(writes.map(({ objectRef }) => objectRef?.namespace));
    expect(namespaces).toEqual(new Set(['identity', 'requests', 'outages', 'attributes']));
  });
});
