const dateText =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?:([Zz])|([+-]\d{2}):?(\d{2}))?)?$/;

/**
 * Read as training reads it: without an offset it is UTC, wherever the function runs. `Date.parse` alone would
 * take local time, and find a date in texts such as "ticket 5".
 * @returns epoch milliseconds, NaN when the text is no date
 */
export function epochMsOfText(text: string): number {
  const [, day, time = '00:00', , hours, minutes] = dateText.exec(text.trim()) ?? [];
  if (day === undefined) return Number.NaN;
  const epochMs = Date.parse(`${day}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
  // V8 takes 30 February for 1 March.
  const isRealDay = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day);
  return isRealDay ? epochMs : Number.NaN;
}
