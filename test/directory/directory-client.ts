import { onTestFinished } from 'vitest';
import { type Directory, type DirectoryOptions, startDirectory } from '../../src/directory/server.ts';
import { URN_GROUP, URN_PATCH_OP, URN_USER } from '../../src/scim/schema.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON the directory answers
  readonly body: any;
}

export interface TestDirectory extends Directory {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Creates a user and gives its id. */
  addUser(attributes?: Record<string, unknown>): Promise<string>;
  addGroup(displayName: string, memberIds?: readonly string[]): Promise<string>;
  patch(path: string, ...operations: readonly unknown[]): Promise<Answer>;
}

/** A directory in memory that ends with the test. */
export async function openTestDirectory(options: Partial<DirectoryOptions> = {}): Promise<TestDirectory> {
  const directory = await startDirectory({ file: ':memory:', token: 'secret', ...options });
  onTestFinished(() => directory.close());
  const call: TestDirectory['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${directory.url}${path}`, {
      method,
      headers: { Authorization: 'Bearer secret', 'Content-Type': 'application/scim+json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  };
  let made = 0;
  return {
    ...directory,
    call,
    async addUser(attributes = {}) {
      made += 1;
      return requireId(await call('POST', '/Users', aUser({ userName: `person${made}@example.com`, ...attributes })));
    },
    async addGroup(displayName, memberIds = []) {
      const members = memberIds.map((value) => ({ value }));
      return requireId(await call('POST', '/Groups', { schemas: [URN_GROUP], displayName, members }));
    },
    patch: (path, ...operations) => call('PATCH', path, { schemas: [URN_PATCH_OP], Operations: operations }),
  };
}

export function aUser(attributes: Record<string, unknown> = {}): Record<string, unknown> {
  return { schemas: [URN_USER], userName: 'ada@example.com', ...attributes };
}

function requireId({ status, body }: Answer): string {
  if (status !== 201) throw new Error(`not created: ${status} ${JSON.stringify(body)}`);
  return body.id;
}
