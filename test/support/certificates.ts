/** Certificates of any validity, made on the spot: X.509 v3 in DER (RFC 5280), signed by their own key. */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** For an address (IPv4), trusted by whoever names it as an authority. */
export function createCertificate(
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  kind: 'ec' | 'rsa' = 'ec',
  address = '127.0.0.1',
): Certificate {
  const { privateKey, publicKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const algorithm = kind === 'ec' ? ECDSA_WITH_SHA256 : RSA_WITH_SHA256;
  const body = toBody(publicKey, algorithm, { ...validity, address });
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, bits(signature));
  const base64 = der.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}

function toBody(
  publicKey: KeyObject,
  algorithm: Buffer,
  { notBefore, notAfter, address }: { notBefore: Date; notAfter: Date; address: string },
): Buffer {
  // Authorities are found by their name: two of one name would be taken for each other.
  const name = sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(randomUUID())))));
  const alternative = sequence(tagged(0x87, Buffer.from(address.split('.').map(Number))));
  const extension = sequence(SUBJECT_ALT_NAME, tagged(0x04, alternative));
  return sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(toTime(notBefore), toTime(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(extension)),
  );
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function bits(content: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), content]));
}

/** GeneralizedTime, which RFC 5280 wants from 2050 on and everybody reads before. */
function toTime(date: Date): Buffer {
  return tagged(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}

const COMMON_NAME = tagged(0x06, Buffer.from('550403', 'hex'));
const SUBJECT_ALT_NAME = tagged(0x06, Buffer.from('551d11', 'hex'));
const RSA_WITH_SHA256 = sequence(tagged(0x06, Buffer.from('2a864886f70d01010b', 'hex')), Buffer.from([0x05, 0]));
const ECDSA_WITH_SHA256 = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
