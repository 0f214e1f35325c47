/** Marks of teams for applications that refuse characters of them: each is written as `~` and its two hexadecimal digits. */

/** Also of `~` itself, so that `fromSentMark` is exact. */
export function toSentMark(mark: string, forbidden: string): string {
  if (forbidden === '') return mark;
  return [...mark].map((each) => (each === '~' || forbidden.includes(each) ? toEscape(each) : each)).join('');
}

export function fromSentMark(sent: string, forbidden: string): string {
  if (forbidden === '') return sent;
  return sent.replace(/~([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function toEscape(character: string): string {
  return `~${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
