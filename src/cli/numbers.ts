import { CommandError, EXIT } from "./exit.ts";

/** A whole number within bounds from a flag. Throws a usage error with the flag, the rule and the value. */
export function wholeNumber(flag: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new CommandError(
    `${flag} must be a whole number from ${least} to ${most}, got ${JSON.stringify(text)}`,
    EXIT.usage,
  );
}

/** A number above zero from a flag. */
export function positiveNumber(flag: string, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new CommandError(`${flag} must be a number above 0, got ${JSON.stringify(text)}`, EXIT.usage);
}
