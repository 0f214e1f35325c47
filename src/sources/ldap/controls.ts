/** Controls of Active Directory that ldapts does not have (MS-ADTS section 3.1.1.3.4.1). */
import { type BerReader, BerWriter, Control } from 'ldapts';

/** Tag of OCTET STRING. */
const OCTETS = 4;

/**
 * What has changed in a naming context since a cookie (LDAP_SERVER_DIRSYNC_OID, section 3.1.1.3.4.1.3): of each entry the
 * attributes that are other ones now. The server's answer is read into the same object.
 */
export class DirSyncControl extends Control {
  static readonly oid = '1.2.840.113556.1.4.841';
  /** Null: the server has not answered, or without the control. */
  answer: { readonly isMore: boolean; readonly cookie: Buffer } | null = null;
  readonly #cookie: Buffer;

  /** @param cookie empty: from the beginning */
  constructor(cookie: Buffer) {
    super(DirSyncControl.oid, { critical: true });
    this.#cookie = cookie;
  }

  protected override writeControl(writer: BerWriter): void {
    writeValue(writer, (value) => {
      // No flags: whoever has the right to ask is told of everything, deletions included.
      value.writeInt(0);
      value.writeInt(MOST_BYTES);
      value.writeBuffer(this.#cookie, OCTETS);
    });
  }

  protected override parseControl(reader: BerReader): void {
    if (reader.readSequence() === null) return;
    const more = reader.readInt() ?? 0;
    reader.readInt();
    this.answer = { isMore: more !== 0, cookie: reader.readString(OCTETS, true) ?? Buffer.alloc(0) };
  }
}

/** Of one answer. */
const MOST_BYTES = 1_048_576;

/**
 * Distinguished names come with the ids of what they name before them (LDAP_SERVER_EXTENDED_DN_OID, section
 * 3.1.1.3.4.1.5): `<GUID=…>;<SID=…>;CN=…`.
 */
export class ExtendedDnControl extends Control {
  static readonly oid = '1.2.840.113556.1.4.529';

  constructor() {
    super(ExtendedDnControl.oid, { critical: true });
  }

  protected override writeControl(writer: BerWriter): void {
    // 1: as text with dashes.
    writeValue(writer, (value) => value.writeInt(1));
  }
}

function writeValue(writer: BerWriter, write: (value: BerWriter) => void): void {
  const value = new BerWriter();
  value.startSequence();
  write(value);
  value.endSequence();
  writer.writeBuffer(value.buffer, OCTETS);
}
