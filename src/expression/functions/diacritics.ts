/** The letters that Entra's NormalizeDiacritics replaces, by their base and the marks that may stand on it. */

const GRAVE = '\u0300';
const ACUTE = '\u0301';
const CIRCUMFLEX = '\u0302';
const TILDE = '\u0303';
const MACRON = '\u0304';
const BREVE = '\u0306';
const DOT = '\u0307';
const DIAERESIS = '\u0308';
const RING = '\u030A';
const DOUBLE_ACUTE = '\u030B';
const CARON = '\u030C';
const DOT_BELOW = '\u0323';
const DIAERESIS_BELOW = '\u0324';
const COMMA_BELOW = '\u0326';
const CEDILLA = '\u0327';
const OGONEK = '\u0328';
const MACRON_BELOW = '\u0331';

const ACCENTS = GRAVE + ACUTE + CIRCUMFLEX + TILDE + MACRON + DIAERESIS + MACRON_BELOW;

const MARKS: Readonly<Record<string, string>> = {
  a: ACCENTS + BREVE + DOT + RING + OGONEK,
  c: ACUTE + MACRON + CARON + CEDILLA + MACRON_BELOW,
  d: MACRON + CARON + MACRON_BELOW,
  e: ACCENTS + DOT + RING + CARON + OGONEK,
  g: MACRON + BREVE + MACRON_BELOW,
  i: ACCENTS + DOT,
  l: MACRON + CARON + DOT_BELOW + MACRON_BELOW,
  n: ACUTE + TILDE + MACRON + CARON + MACRON_BELOW,
  o: ACCENTS + DOT + DOUBLE_ACUTE + OGONEK,
  r: MACRON + CARON + DOT_BELOW + MACRON_BELOW,
  s: ACUTE + MACRON + CARON + COMMA_BELOW + CEDILLA + MACRON_BELOW,
  t: MACRON + CARON + COMMA_BELOW + MACRON_BELOW,
  u: ACCENTS + DOT + RING + DOUBLE_ACUTE + DIAERESIS_BELOW,
  y: ACCENTS,
  z: ACUTE + MACRON + DOT + CARON + MACRON_BELOW,
};

/** Letters that are replaced without a mark, or by two letters. A plain œ is not among them. */
const LETTERS: Readonly<Record<string, { readonly result: string; readonly marks: string; readonly plain: boolean }>> =
  {
    æ: { result: 'ae', marks: ACUTE + MACRON, plain: true },
    ø: { result: 'oe', marks: ACUTE + MACRON, plain: true },
    œ: { result: 'oe', marks: MACRON, plain: false },
    ł: { result: 'l', marks: '', plain: true },
    ı: { result: 'i', marks: '', plain: true },
    ß: { result: 'ss', marks: '', plain: true },
  };

const CLUSTER = /\P{M}\p{M}*/gu;

/** Letters that are not in the table stay as they are, whichever marks they have. */
export function normalizeDiacritics(text: string): string {
  return text.replace(CLUSTER, (cluster) =>
    cluster.length === 1 && cluster < '\u0080' ? cluster : normalize(cluster),
  );
}

function normalize(cluster: string): string {
  const [base = '', ...marks] = cluster.normalize('NFD');
  const lower = base === 'ẞ' ? 'ß' : base.toLowerCase();
  const letter = LETTERS[lower] ?? { result: lower, marks: MARKS[lower] ?? '', plain: false };
  if ((marks.length === 0 && !letter.plain) || !marks.every((mark) => letter.marks.includes(mark))) return cluster;
  return lower === base ? letter.result : letter.result.toUpperCase();
}
