/** What the headers of an answer say of its bytes. */
import { createHash } from 'node:crypto';

export interface Checksum {
  /** For messages. */
  readonly header: string;
  readonly algorithm: 'sha512' | 'sha256' | 'md5';
  readonly digest: Buffer;
}

const ALGORITHMS: Readonly<Record<string, Checksum['algorithm']>> = {
  'sha-512': 'sha512',
  'sha-256': 'sha256',
  md5: 'md5',
};
const LENGTHS = { sha512: 64, sha256: 32, md5: 16 } as const;

/** Headers with one checksum; RFC 1864, Artifactory and Nexus, Amazon S3. */
const PLAIN: readonly (readonly [string, Checksum['algorithm'], 'base64' | 'hex'])[] = [
  ['content-md5', 'md5', 'base64'],
  ['x-checksum-sha256', 'sha256', 'hex'],
  ['x-amz-checksum-sha256', 'sha256', 'base64'],
];

/**
 * The checksums of an answer that are understood: `Content-Digest` and `Repr-Digest` (RFC 9530), `Digest` (RFC 3230),
 * `x-goog-hash`, and those of `PLAIN`. One in a form that is not known says nothing.
 */
export function readChecksums(headers: Readonly<Record<string, string>>): readonly Checksum[] {
  const found: Checksum[] = [];
  const add = (header: string, algorithm: Checksum['algorithm'] | undefined, digest: Buffer): void => {
    if (algorithm !== undefined && digest.length === LENGTHS[algorithm]) found.push({ header, algorithm, digest });
  };
  for (const header of ['content-digest', 'repr-digest', 'digest', 'x-goog-hash']) {
    for (const part of (headers[header] ?? '').split(',')) {
      const [, name = '', value = ''] = /^\s*([\w-]+)=:?([A-Za-z0-9+/=]*?):?\s*$/.exec(part) ?? [];
      add(header, ALGORITHMS[name.toLowerCase()], Buffer.from(value, 'base64'));
    }
  }
  for (const [header, algorithm, encoding] of PLAIN) {
    const value = headers[header]?.trim() ?? '';
    // Amazon's sum of the sums of parts has the number of parts behind it: `…=-3`.
    if (/^[A-Za-z0-9+/]+=*$/.test(value)) add(header, algorithm, Buffer.from(value, encoding));
  }
  return found;
}

export interface ChecksumCheck {
  update(chunk: Buffer): void;
  /** The header that the bytes contradict; null where none does. */
  findWrong(): string | null;
}

export function createChecksumCheck(checksums: readonly Checksum[]): ChecksumCheck {
  const hashes = checksums.map((checksum) => ({ ...checksum, hash: createHash(checksum.algorithm) }));
  return {
    update: (chunk) => {
      for (const { hash } of hashes) hash.update(chunk);
    },
    findWrong: () => hashes.find(({ hash, digest }) => !hash.digest().equals(digest))?.header ?? null,
  };
}
