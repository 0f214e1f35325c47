/** Configuration of the source `file`: where files are, and how they are written. */
import { Type } from '@sinclair/typebox';
import { dataKey } from './provider-fields.ts';
import { type SchemaRule, toFields } from './rules.ts';
import { flag, type Of, object, objectName, oneOf, reference, text, whole } from './schema.ts';
import { encryptedRule } from './urls.ts';

const FILE_FORMATS = ['CSV', 'JSON', 'JSONLines', 'LDIF'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const FILE_ENCODINGS = ['UTF-8', 'UTF-16', 'Windows-1252'] as const;
export type FileEncoding = (typeof FILE_ENCODINGS)[number];

/** As `URL_PATTERN`, with a query: exports are told apart by it. */
const FILE_URL_PATTERN = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?(\\?[^\\s#]*)?$';
const LOCATIONS = ['path', 'configMapRef', 'url', 'sftp'];

/** `exactlyOneOf` with `credentialsRef`, which stands beside a URL alone. */
const locationRule: SchemaRule = {
  name: 'locationExactlyOne',
  message: `exactly one of ${LOCATIONS.join(', ')} must be set, and credentialsRef beside url alone`,
  cel: `[${LOCATIONS.map((key) => `has(self.${key})`).join(', ')}].exists_one(x, x) && (!has(self.credentialsRef) || has(self.url))`,
  holds: (value) => {
    const fields = toFields(value);
    if (fields === null) return true;
    const set = Object.keys(fields).filter((key) => fields[key] !== undefined && key !== 'credentialsRef');
    return set.length === 1 && (fields['credentialsRef'] === undefined || fields['url'] !== undefined);
  },
};

const sftpRule: SchemaRule = {
  name: 'sftpPathOrPattern',
  message: 'exactly one of path, pattern must be set',
  cel: 'has(self.path) != has(self.pattern)',
  holds: (value) => {
    const fields = toFields(value);
    return fields === null || (fields['path'] === undefined) !== (fields['pattern'] === undefined);
  },
};

const SftpSchema = object(
  {
    host: text({
      maxLength: 253,
      pattern: '^[A-Za-z0-9._:-]+$',
      expected: 'the name or address of a host, without a scheme',
      description: 'Name or address of the server.',
    }),
    port: Type.Optional(whole({ minimum: 1, maximum: 65535, default: 22, description: 'Port of SSH.' })),
    path: Type.Optional(
      text({
        maxLength: 1024,
        description: 'Path of the file there; one that is relative begins where the login does.',
      }),
    ),
    pattern: Type.Optional(
      text({
        maxLength: 1024,
        description:
          'The newest of the files whose names are of this pattern, such as `/export/people-*.csv`: by the time of their last change, then by name. `*` stands for any characters and `?` for one, in the last part alone.',
      }),
    ),
    credentialsRef: reference(
      'Secret',
      'Secret with `username`, and `password` or `privateKey` (with `passphrase` where it is encrypted). It is read at each run.',
    ),
    hostKey: text({
      maxLength: 2048,
      pattern: '^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}$',
      expected: 'type and key of the host, as ssh-keyscan shows them behind its name: ssh-ed25519 AAAA…',
      description:
        'Key of the host as in known_hosts, without the host: `ssh-ed25519 AAAA…`. Nothing is sent to a host that shows another one.',
    }),
  },
  {
    description: 'A file on a server with SFTP. Exactly one of `path` and `pattern`.',
    rules: [sftpRule],
  },
);

const FileLocationSchema = object(
  {
    path: Type.Optional(
      text({
        maxLength: 1024,
        description:
          'Path of a file, relative to the folder of the manifest. In a cluster it must lie under a folder given to the controller with `--allow-path`.',
      }),
    ),
    url: Type.Optional(
      text({
        maxLength: 2048,
        pattern: FILE_URL_PATTERN,
        expected: 'an http or https URL without user and fragment',
        description:
          'URL of a file. Its query may say which export is meant; everybody who may read the resource sees it, so it holds no secret. At most 5 redirects are followed, and at most 1 GiB is read.',
      }),
    ),
    credentialsRef: Type.Optional(
      reference(
        'Secret',
        'For `url`: Secret with `token`, sent as a bearer token, or with `username` and `password`. Without it nothing is sent. It is read at each run.',
      ),
    ),
    sftp: Type.Optional(SftpSchema),
    configMapRef: Type.Optional(
      object(
        {
          name: objectName({ description: 'Name of the ConfigMap in the same namespace.' }),
          key: dataKey('Key under `data` or `binaryData`. Its extension says the format, as that of a path does.'),
        },
        { description: 'A key of a ConfigMap. A missing one is `ReferenceNotFound`, never an empty file.' },
      ),
    ),
  },
  {
    description: 'Where a file is. Exactly one of `path`, `configMapRef`, `url` and `sftp`.',
    rules: [locationRule],
  },
);

export const FileSourceSchema = object(
  {
    format: Type.Optional(
      oneOf(FILE_FORMATS, {
        documentedDefault: 'by extension',
        description:
          'How the files are written. By default the extension of the path or key says it, without a `.gz` behind it: `.csv` and `.tsv` are CSV, `.json` is JSON (a list of objects), `.jsonl` and `.ndjson` are JSONLines, `.ldif` is LDIF; any other extension needs this field.',
      }),
    ),
    encoding: Type.Optional(
      oneOf(FILE_ENCODINGS, {
        documentedDefault: 'detected',
        description:
          'In which encoding the files are. By default a byte order mark says it, or the zeros that text has in UTF-16; else it is UTF-8, or Windows-1252 where the first character beyond ASCII is none of UTF-8.',
      }),
    ),
    users: FileLocationSchema,
    groups: Type.Optional(FileLocationSchema),
    membersAttribute: Type.Optional(
      text({
        maxLength: 256,
        default: 'members',
        description:
          'Column (CSV) or key (JSON) of the groups file with the members: ids, userNames or mail addresses of people, or ids of groups. In a CSV, or a text of JSON, separated by `;`; in JSON also a list. A file of groups without it is a failed read.',
      }),
    ),
    idAttribute: Type.Optional(
      text({
        maxLength: 256,
        default: 'id',
        description:
          'Column (CSV) or key (JSON) with the id of each person: unique, not empty and never changed, for it is what a person is recognised by. A mail address or user principal name is a warning, because it changes with the name. Fixed once people are linked.',
      }),
    ),
    duplicateIds: Type.Optional(
      oneOf(['Error', 'Merge'] as const, {
        default: 'Error',
        description:
          'What several rows of people with one id are. `Error`: a mistake; the person is left as they are, and both rows are named. `Merge`: one person, as in exports with one row for each team or contract: values in which the rows differ become a list, and inactive is who is so in all rows.',
      }),
    ),
    photoAttribute: Type.Optional(
      text({
        maxLength: 256,
        documentedDefault: 'none: people have no photos',
        description:
          'Column (CSV) or key (JSON) with the photo of each person, for mappings with `photo`: the path of a JPEG, PNG, GIF or WebP file, relative to the file of users and in its folder or below, or an http or https URL. Empty: no photo.',
      }),
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take a `url` that begins with `http://` for a host other than loopback. Credentials and people then travel readable for everybody on the way.',
      }),
    ),
    delimiter: Type.Optional(
      text({
        maxLength: 1,
        pattern: '^[^"\\r\\n]$',
        expected: 'one character, neither a quote nor a line end',
        documentedDefault: 'detected',
        description:
          'One character between the columns of a CSV. By default the header says which of `,` `;` tab `|` it is.',
      }),
    ),
  },
  {
    description: 'People in a CSV, JSON, JSON Lines or LDIF file.',
    rules: [
      encryptedRule('users.url', 'has(self.users.url)'),
      encryptedRule('groups.url', 'has(self.groups) && has(self.groups.url)'),
    ],
  },
);
export type FileSource = Of<typeof FileSourceSchema>;
