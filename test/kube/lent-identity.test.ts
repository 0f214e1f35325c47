import { describe, expect, it } from 'vitest';
import { lendIdentity } from '../../src/kube/lent-identity.ts';
import { ACME } from './setup.ts';

const TOKEN = { token: 'eyJ', clientId: null, authorityUrl: null };

describe('the workload identity of the controller', () => {
  it('is lent to the namespaces that were named, and to no other', async () => {
    const read = async () => TOKEN;
    expect(await lendIdentity({ read, namespaces: [ACME.namespace] }, ACME)).toEqual(TOKEN);
    await expect(lendIdentity({ read, namespaces: ['other'] }, ACME)).rejects.toMatchObject({
      code: 'Invalid',
      message: `DirectorySync ${ACME.namespace}/${ACME.name}: the controller does not lend its workload identity to namespace ${ACME.namespace}: start it with --workload-identity-namespace ${ACME.namespace}, or name a Secret with credentials`,
    });
  });

  it('is none where the platform gives none', async () => {
    expect(await lendIdentity(undefined, ACME)).toBeNull();
    expect(await lendIdentity({ read: async () => null, namespaces: [] }, ACME)).toBeNull();
  });
});
