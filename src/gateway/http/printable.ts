/** Text that a client chose, made safe for a log line or a header: no control characters, at most `limit` of the rest. */
export function printable(text: string, limit = 200): string {
  const start = text.slice(0, limit);
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  const clean = start.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\u{fffd}");
  return text.length > limit ? `${clean}…` : clean;
}
