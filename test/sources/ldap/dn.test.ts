import { describe, expect, it } from 'vitest';
import { isServicePartition, isWithin, normaliseDn, toDomain, toName } from '../../../src/sources/ldap/dn.ts';
import { createFrames } from '../../../src/sources/ldap/frames.ts';
import { fromGuid, toGuid, toSid, toText } from '../../../src/sources/ldap/values.ts';

describe('distinguished names', () => {
  it.each([
    ['CN=Ada Lovelace,OU=People,DC=corp,DC=example', 'CN=Ada Lovelace,OU=People,DC=corp,DC=example'],
    ['cn=ada , ou = people;dc=corp', 'cn=ada,ou=people,dc=corp'],
    ['cn=Lovelace\\, Ada,dc=corp', 'cn=Lovelace\\, Ada,dc=corp'],
    ['cn="Lovelace, Ada",dc=corp', 'cn=Lovelace\\, Ada,dc=corp'],
    ['cn=Lovelace\\2C Ada,dc=corp', 'cn=Lovelace\\, Ada,dc=corp'],
    ['cn=Zo\\C3\\AB,dc=corp', 'cn=Zoë,dc=corp'],
    ['cn=a\\5Cb\\22,dc=corp', 'cn=a\\\\b\\",dc=corp'],
    ['cn=gone\\0ADEL:1,dc=corp', 'cn=gone\\0ADEL:1,dc=corp'],
    ['uid=ada+cn=Ada,dc=corp', 'cn=Ada+uid=ada,dc=corp'],
    ['cn=\\ ada\\ ,dc=corp', 'cn=\\ ada\\ ,dc=corp'],
    ['cn=\\#1,dc=corp', 'cn=\\#1,dc=corp'],
    ['', ''],
    ['  no name ', 'no name'],
  ])('%s is %s', (text, normal) => {
    expect(normaliseDn(text)).toBe(normal);
    expect(normaliseDn(normal)).toBe(normal);
  });

  it('tell the domain, what lies below them, and the name of the entry', () => {
    expect(toDomain('OU=People,DC=corp, DC=example')).toBe('corp.example');
    expect(toDomain('o=Acme')).toBeNull();
    expect(toDomain('')).toBeNull();
    expect(isWithin('ou=People, DC=corp', 'dc=CORP')).toBe(true);
    expect(isWithin('dc=corp', 'dc=corp')).toBe(true);
    expect(isWithin('dc=mycorp', 'dc=corp')).toBe(false);
    expect(toName('cn=Lovelace\\, Ada,dc=corp')).toBe('Lovelace, Ada');
  });

  it('of the partitions of a forest are told from others', () => {
    const base = 'DC=corp,DC=example';
    for (const first of ['CN=Configuration', 'DC=ForestDnsZones', 'dc=domaindnszones'])
      expect(isServicePartition(`${first},${base}`)).toBe(true);
    for (const other of [`DC=child,${base}`, `CN=Configuration,OU=x,${base}`, 'CN=Configuration', 'nonsense', ''])
      expect(isServicePartition(other)).toBe(false);
  });
});

describe('values', () => {
  it('GUIDs have their first three groups turned round', () => {
    const bytes = Buffer.from('74859eb556d86b41bb201ded72c320cf', 'hex');
    expect(toGuid(bytes)).toBe('b59e8574-d856-416b-bb20-1ded72c320cf');
    expect(fromGuid('B59E8574-D856-416B-BB20-1DED72C320CF')).toEqual(bytes);
    expect(fromGuid('b59e8574')).toBeNull();
    expect(toText('objectGUID', bytes)).toBe('b59e8574-d856-416b-bb20-1ded72c320cf');
  });

  it('SIDs are text, and bytes that are none base64', () => {
    const sid = Buffer.from('010500000000000515000000010000000200000003000000e9030000', 'hex');
    expect(toSid(sid)).toBe('S-1-5-21-1-2-3-1001');
    expect(toSid(sid.subarray(0, 20))).toBeNull();
    expect(toSid(Buffer.alloc(0))).toBeNull();
    expect(toText('objectSid', Buffer.from([1]))).toBe('AQ==');
  });

  it('text is what its bytes say, unless the attribute is none of text', () => {
    expect(toText('cn', Buffer.from('Zoë'))).toBe('Zoë');
    expect(toText('userCertificate;binary', Buffer.from('abc'))).toBe('YWJj');
    expect(toText('x;binary', Buffer.from('abc'))).toBe('YWJj');
    expect(toText('jpegPhoto', Buffer.from('abc'))).toBe('YWJj');
    expect(toText('cn', Buffer.from([0xff]))).toBe('/w==');
  });
});

describe('messages', () => {
  const message = (length: number): Buffer =>
    Buffer.concat([
      Buffer.from(length < 128 ? [0x30, length] : [0x30, 0x82, length >> 8, length & 255]),
      Buffer.alloc(length, 7),
    ]);

  it('are whole however the bytes come', () => {
    const all = Buffer.concat([message(3), message(0), message(300), message(127)]);
    for (const size of [1, 2, 5, 64, all.length]) {
      const frames = createFrames();
      const found: Buffer[] = [];
      for (let at = 0; at < all.length; at += size) found.push(...frames.take(all.subarray(at, at + size)));
      expect(found.map(({ length }) => length)).toEqual([5, 2, 304, 129]);
      expect(frames.isEmpty()).toBe(true);
    }
  });

  it('are refused at their beginning where they are none', () => {
    expect(() => createFrames().take(Buffer.from('HTTP/1.1'))).toThrow('no message begins so');
    expect(() => createFrames().take(Buffer.from([0x30, 0x80, 0, 0]))).toThrow('no length');
    expect(() => createFrames().take(Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]))).toThrow('too long');
    const frames = createFrames();
    expect(frames.take(Buffer.from([0x30]))).toEqual([]);
    expect(frames.isEmpty()).toBe(false);
  });
});
