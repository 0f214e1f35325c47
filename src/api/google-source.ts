/** The config block `spec.source.google`. */
import { Type } from '@sinclair/typebox';
import { atMostOneOf } from './rules.ts';
import { flag, type Of, object, reference, text } from './schema.ts';
import { encryptedRule, URL_PATTERN } from './urls.ts';

export const GoogleSourceSchema = object(
  {
    customer: Type.Optional(
      text({
        maxLength: 64,
        pattern: '^(my_customer|C[0-9A-Za-z]+)$',
        expected: 'my_customer or the id of an account, as C03az79cb',
        documentedDefault: '`my_customer`, that of the administrator',
        description:
          'The account, with all of its domains. Another one than that of the administrator is `EndpointChanged`, and so is another account once people are linked.',
      }),
    ),
    domain: Type.Optional(
      text({
        maxLength: 253,
        pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$',
        expected: 'a domain, as corp.example',
        documentedDefault: 'all domains of the account',
        description: 'One domain alone, in the place of `customer`.',
      }),
    ),
    adminEmail: text({
      maxLength: 320,
      pattern: '^[^@\\s]+@[^@\\s]+$',
      expected: 'a mail address',
      description:
        'Address of the administrator on whose behalf the service account reads. A role that may read users, and groups where they are wanted, is enough.',
    }),
    credentialsRef: reference(
      'Secret',
      'Secret with `serviceAccount.json`, the key of a service account with domain-wide delegation. It is read at each run.',
    ),
    apiUrl: Type.Optional(
      text({
        maxLength: 2048,
        pattern: URL_PATTERN,
        expected: 'an http or https URL without user, query and fragment',
        default: 'https://admin.googleapis.com',
        description: 'Root of the Directory API, without a version, where it is reached through a proxy.',
      }),
    ),
    tokenUrl: Type.Optional(
      text({
        maxLength: 2048,
        pattern: URL_PATTERN,
        expected: 'an http or https URL without user, query and fragment',
        default: 'https://oauth2.googleapis.com/token',
        description:
          'Where tokens are given, where that is reached through a proxy. What the key itself names is not used.',
      }),
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take URLs that begin with `http://` for hosts other than loopback. Credentials and people then travel readable for everybody on the way.',
      }),
    ),
  },
  {
    description: 'People and groups of an account of Google Workspace.',
    rules: [
      atMostOneOf('customerOrDomain', ['customer', 'domain']),
      encryptedRule('apiUrl', 'has(self.apiUrl)'),
      encryptedRule('tokenUrl', 'has(self.tokenUrl)'),
    ],
  },
);
export type GoogleSource = Of<typeof GoogleSourceSchema>;
