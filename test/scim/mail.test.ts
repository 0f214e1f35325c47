import { expect, it } from 'vitest';
import { readMails } from '../../src/scim/mail.ts';

it('finds the mail addresses among attributes, and nothing else', () => {
  const attributes = {
    userName: 'ada',
    'emails[type eq "work"].value': 'ada@corp.example',
    'emails[type eq "work"].display': 'Ada',
    'emails[primary eq true].value': 'a@example.com',
    'emails[type eq "home"].value': '',
    'phoneNumbers[type eq "work"].value': '1',
  };
  expect(readMails(attributes)).toEqual(['ada@corp.example', 'a@example.com']);
});
