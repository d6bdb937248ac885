import type { ConfigPath, Finding } from "../problem.ts";

export function error(path: ConfigPath, rule: string, more: Partial<Finding> = {}): Finding {
  return { severity: "error", path, at: "value", rule, ...more };
}

export function warning(path: ConfigPath, rule: string, hint?: string, at: Finding["at"] = "value"): Finding {
  return { severity: "warning", path, at, rule, hint };
}

/** What deployments and consumers may be called. */
export const NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,63}$/;
export const NAME_RULE =
  "must be a name of letters, digits and . _ : / @ -, 64 at the most, that begins with a letter or digit";
