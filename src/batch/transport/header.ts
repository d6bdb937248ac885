const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** What HTTP carries in a value, and undici sends: Latin-1 without control characters. */
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** What the transport has to say itself. */
const OWN = new Set(["content-length", "host", "connection", "keep-alive", "upgrade", "transfer-encoding", "expect"]);

/** The rule that a header breaks; `undefined` where it breaks none. Tells nothing of the value: it may be a secret. */
export function brokenHeader(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return "must have a name of letters, digits and hyphens";
  if (OWN.has(name.toLowerCase())) return "is set by headgate itself";
  return brokenValue(value);
}

/** The rule that a header's value, or a key, breaks. */
export function brokenValue(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return "must not hold a line end";
  return VALUE.test(value) ? undefined : "must not hold characters that HTTP headers cannot carry";
}
