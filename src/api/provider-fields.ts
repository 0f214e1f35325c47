/** What the configuration of several providers has: keys of Secrets and ConfigMaps, authorities. */
import { object, objectName, oneOf, text } from './schema.ts';

/** A key of a Secret or ConfigMap. */
export function dataKey(description: string) {
  return text({
    maxLength: 253,
    pattern: '^[-._a-zA-Z0-9]+$',
    expected: 'a key of letters, digits, "-", "_" and "."',
    description,
  });
}

/** Certificates of private authorities, in a Secret or ConfigMap. */
export function authorities(what: string) {
  return object(
    {
      kind: oneOf(['Secret', 'ConfigMap'] as const, { description: 'What it is.' }),
      name: objectName({ description: 'Its name, in the same namespace.' }),
      key: dataKey('Key with the certificates in PEM, such as `ca.crt`.'),
    },
    {
      description: `Certificates of private authorities that are trusted for this ${what}, beside those of the system. A missing one is \`ReferenceNotFound\`, one without a certificate \`Invalid\`. Read at each run.`,
    },
  );
}
