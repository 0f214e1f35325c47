/** Entries for photos: what the source must have for them, and what can be said of them. Pure. */
import type { AttributeEntry } from '../api/attribute-mapping.ts';
import { SyncError } from '../errors.ts';
import type { PhotoOffer } from '../model.ts';
import { toTypeMessage } from './coerce.ts';
import type { CompiledEntry, CompiledValue, Place } from './entry.ts';
import type { NameContext } from './names.ts';

const JPEG = [0xff, 0xd8, 0xff];
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** What the first bytes say that it is; null: no photo that applications take. */
export function readMediaType(bytes: Uint8Array): string | null {
  const begins = (mark: readonly number[]): boolean => mark.every((byte, index) => bytes[index] === byte);
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (begins(JPEG)) return 'image/jpeg';
  if (begins(PNG)) return 'image/png';
  if (/^GIF8[79]a/.test(text)) return 'image/gif';
  return /^RIFF.{4}WEBP/s.test(text) ? 'image/webp' : null;
}

type PhotoSpec = NonNullable<AttributeEntry['photo']>;

/** As the schema says it; here for whoever comes without it. */
const DEFAULT_MAX_BYTES = 262_144;

/** Throws SyncError `Invalid` that says what the source lacks, or what cannot be said beside a photo. */
export function compilePhoto(
  spec: AttributeEntry,
  photo: PhotoSpec,
  { place, names }: { readonly place: Place; readonly names: NameContext },
): CompiledValue {
  checkPlace(spec, place);
  const offer = findOffer(names);
  return photo.as === 'Url' ? compileUrl(spec, names, offer) : compileBytes(spec, photo, { names, offer });
}

function refuse(message: string): never {
  throw new SyncError('Invalid', message);
}

function checkPlace({ target }: AttributeEntry, { definition, multiValued, reference }: Place): void {
  const isText = definition.type === 'String' || (definition.type === 'Reference' && reference === null);
  if (!isText || multiValued)
    refuse(`a photo is one text, and ${JSON.stringify(target)} takes none; write photos[type eq "photo"].value`);
}

/** Undefined: nobody has said which source it is. */
function findOffer({ offers, provider }: NameContext): PhotoOffer | undefined {
  if (offers === undefined) return undefined;
  const hint = provider === 'file' ? '; name their column in source.file.photoAttribute' : '';
  return offers.photos ?? refuse(`the provider ${provider} has no photos${hint}`);
}

function compileUrl(
  { target }: AttributeEntry,
  { provider }: NameContext,
  offer: PhotoOffer | undefined,
): CompiledValue {
  if (offer === undefined) return { names: [], evaluate: null };
  if (offer.url === null) refuse(`the provider ${provider} has no URLs of photos; write as: DataUri`);
  const name = toName(offer.url);
  const evaluate: CompiledEntry['evaluate'] = (read) => {
    const value = read(name);
    if (value === null || value === '' || isUrl(value)) return { value, isDate: false };
    const refusal = { noun: 'a URL', expected: 'an address, such as https://people.corp.example/ada.jpg' };
    throw new SyncError('RecordInvalid', toTypeMessage(target, value, refusal));
  };
  return { names: [name], evaluate };
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}

function compileBytes(
  spec: AttributeEntry,
  { maxBytes = DEFAULT_MAX_BYTES }: PhotoSpec,
  { names, offer }: { readonly names: NameContext; readonly offer: PhotoOffer | undefined },
): CompiledValue {
  if (offer?.bytes === false) refuse(`the provider ${names.provider} gives URLs of photos alone; write as: Url`);
  // It is written apart from everything else of an account, and compared by what was written.
  const beside = (['matching', 'default', 'format'] as const).find((key) => spec[key] !== undefined);
  const other = beside ?? (spec.required === true ? 'required' : undefined);
  if (other !== undefined) refuse(`${other} is not for a photo that is written as: DataUri`);
  if (spec.apply === 'OnCreate')
    refuse('a photo that is written as: DataUri is always kept up to date: leave out apply');
  const needs = offer?.needs ?? null;
  return { names: needs === null ? [] : [toName(needs)], evaluate: null, photo: { maxBytes } };
}

/** The name of an attribute of the record, whatever its letters. */
function toName(attribute: string): string {
  return `source:${/^\w+$/.test(attribute) ? attribute : `[${JSON.stringify(attribute)}]`}`;
}
