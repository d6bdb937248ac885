/**
 * The path of a request target in the one spelling that decides what it is: no query, percent-escapes of ordinary
 * characters decoded, slashes collapsed, dot segments resolved, no slash at the end, lower case. Servers differ in how
 * much of that they do themselves; a path must not lose its seat by being spelled oddly. The path is forwarded as it came.
 */
export function canonicalPath(target: string): string {
  const raw = pathOf(target);
  if (PLAIN.test(raw)) return raw;
  const segments: string[] = [];
  for (const segment of segmentsOf(raw)) {
    if (segment === "..") segments.pop();
    else segments.push(segment);
  }
  return `/${segments.join("/")}`.toLowerCase();
}

/** Whether dot segments lead above the root, and with that out of the prefix that a backend may have. */
export function climbsOut(target: string): boolean {
  const raw = pathOf(target);
  if (PLAIN.test(raw)) return false;
  let depth = 0;
  for (const segment of segmentsOf(raw)) {
    depth += segment === ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Most paths are canonical already. */
const PLAIN = /^(?:\/[a-z0-9_-]+)+$/;

function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}

/** The segments that mean something: all but the empty ones and `.`. */
function segmentsOf(raw: string): string[] {
  return decode(raw)
    .split(/[/\\]+/)
    .filter((segment) => segment !== "" && segment !== ".");
}

/** Decodes twice, since some servers sit behind others that decode. A broken escape stays as it is. */
function decode(raw: string): string {
  let text = raw;
  for (let round = 0; round < 2 && text.includes("%"); round++) {
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return text;
}
