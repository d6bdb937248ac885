import { randomBytes } from "node:crypto";

import { POOL } from "../../core/shares/types.ts";
import type { EpochMs } from "../../core/units.ts";
import { systemClock } from "../../engine/clock.ts";
import { digestOf, looksLikeKey, newKey } from "../../gateway/auth/index.ts";
import { CommandError, EXIT, type ExitCode } from "../exit.ts";

export interface NewKeyOptions {
  readonly expires?: string;
  readonly json?: boolean;
}

export interface HashKeyOptions {
  readonly json?: boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,63}$/;
const LONGEST_KEY = 512;
/** Keys of others may be shorter than ours. Below this they can be guessed. */
const SHORT_KEY = 32;

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/** Makes a key. The key itself goes to stdout, so that it can be sent on; what to do with it, to stderr. */
export function newKeyFor(name: string, options: NewKeyOptions): ExitCode {
  const { stdout, stderr } = process;
  if (!NAME.test(name)) {
    const rule = "letters, digits and . _ : / @ -, 64 at the most, beginning with a letter or digit";
    throw new CommandError(`NAME must be a name of ${rule}, got ${JSON.stringify(name)}`, EXIT.usage);
  }
  if (name === POOL)
    throw new CommandError(`NAME must not be ${POOL}: that is the share of everybody else`, EXIT.usage);
  const expires = options.expires === undefined ? undefined : readExpiry(options.expires, systemClock.wall());
  const key = newKey(randomBytes);
  const line = lineFor(digestOf(key), expires);
  if (options.json === true) {
    stdout.write(`${JSON.stringify({ name, key, sha256: digestOf(key), expires, line }, undefined, 2)}\n`);
    return EXIT.ok;
  }
  stdout.write(`${key}\n`);
  stderr.write(
    `\nThis is the key of ${name}. It is shown this once: Headgate keeps its digest only. In headgate.yaml:\n\n` +
      `consumers:\n  ${yamlName(name)}:\n    ${line}\n`,
  );
  return EXIT.ok;
}

/** Prints the line for a key that is there already, read from standard input: arguments are seen by everybody on the machine. */
export async function hashKey(options: HashKeyOptions): Promise<ExitCode> {
  const { stdin, stdout, stderr } = process;
  if (stdin.isTTY) stderr.write("Paste the key and press Enter:\n");
  const key = (await readAll(stdin)).trim();
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > LONGEST_KEY) {
    const rule = `one line of 1 to ${LONGEST_KEY} visible ASCII characters without blanks`;
    throw new CommandError(`a key is ${rule}; standard input has something else`, EXIT.usage);
  }
  if (key.startsWith("hg_") && !looksLikeKey(key)) {
    stderr.write(
      "warning: this is mistyped or cut off: its checksum, the last six characters, does not fit the rest\n",
    );
  } else if (key.length < SHORT_KEY) {
    stderr.write(
      "warning: this is short for a key, and whoever guesses it is let in; headgate keys new makes a long one\n",
    );
  }
  const sha256 = digestOf(key);
  const line = lineFor(sha256, undefined);
  stdout.write(options.json === true ? `${JSON.stringify({ sha256, line }, undefined, 2)}\n` : `${line}\n`);
  return EXIT.ok;
}

/** When a key is to expire: after `90d`, `12h`, `4w`, or on a day. In ISO 8601, whole seconds of UTC. */
function readExpiry(text: string, now: EpochMs): string {
  const [, count = "", unit = ""] = /^(\d{1,4})([hdw])$/.exec(text) ?? [];
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const at = isDay ? Date.parse(text) : now + Number(count) * (UNIT_MS.get(unit) ?? Number.NaN);
  // The engine reads 30 February as 2 March.
  if (!Number.isFinite(at) || (isDay && !new Date(at).toISOString().startsWith(text))) {
    const forms = "a time from now like 90d (units h, d, w) or a day like 2027-01-31";
    throw new CommandError(`--expires must be ${forms}, got ${JSON.stringify(text)}`, EXIT.usage);
  }
  if (at <= now) throw new CommandError(`--expires must lie in the future, got ${JSON.stringify(text)}`, EXIT.usage);
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

function lineFor(sha256: string, expires: string | undefined): string {
  return expires === undefined
    ? `keys: ["sha256:${sha256}"]`
    : `keys: [{ sha256: "${sha256}", expires: "${expires}" }]`;
}

/** In quotes wherever YAML might take it for something else. */
function yamlName(name: string): string {
  const isPlain = /^[A-Za-z][\w.-]*$/.test(name) && !/^(?:true|false|null)$/i.test(name);
  return isPlain ? name : JSON.stringify(name);
}

async function readAll(input: NodeJS.ReadStream): Promise<string> {
  let text = "";
  input.setEncoding("utf8");
  for await (const chunk of input) {
    text += String(chunk);
    // On a terminal, Enter is the end.
    if ((input.isTTY && text.includes("\n")) || text.length > 2 * LONGEST_KEY) break;
  }
  return text;
}
