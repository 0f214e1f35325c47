const DURATION = /^P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$/i;
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000] as const;

/**
 * Milliseconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds; null for anything else. Months and
 * years have no fixed length, so a rule cannot add them.
 */
export function parseIsoDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null || /[PT]$/i.test(text)) return null;
  return UNITS_MS.reduce((total, unit, index) => total + unit * Number(match[index + 1] ?? 0), 0);
}
