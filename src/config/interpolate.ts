import { escapeInvisible } from "./show.ts";

/** The variables that a file may use; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A reference that could not be filled. */
interface InterpolationFault {
  readonly rule: string;
  readonly hint: string;
}

/** One scalar with its references filled in. `text` means nothing where there are faults. */
export interface Interpolation {
  readonly text: string;
  /** Whether a variable's name stood in the text, so that `text` may hold what nobody wrote into the file. */
  readonly fromEnvironment: boolean;
  readonly faults: readonly InterpolationFault[];
}

const REFERENCE = /\$\$|\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^]*))?$/;

/**
 * Fills `${NAME}`, `${NAME:-default}` (for unset or empty) and `${NAME:?message}` (an error for unset or empty); `$$` is a
 * dollar sign, and a `$` before anything else stands for itself. What is filled in is text and is not read again: neither
 * as YAML nor for more references.
 */
export function interpolate(text: string, environment: Environment): Interpolation {
  const faults: InterpolationFault[] = [];
  let fromEnvironment = false;
  const filled = text.replaceAll(REFERENCE, (reference, body: string | undefined, close: string | undefined) => {
    if (reference === "$$") return "$";
    fromEnvironment = true;
    const found = close === "}" ? lookUp(body ?? "", environment) : UNCLOSED;
    if (typeof found === "string") return found;
    faults.push(found);
    return "";
  });
  return { text: filled, fromEnvironment, faults };
}

const UNCLOSED: InterpolationFault = {
  rule: "must close its ${ with a }",
  hint: "a dollar sign that is meant as one is written $$",
};

function lookUp(body: string, environment: Environment): string | InterpolationFault {
  const [, name, operator, rest = ""] = BODY.exec(body) ?? [];
  if (name === undefined) {
    return {
      rule: "must name a variable like ${NAME}, ${NAME:-default} or ${NAME:?message}",
      hint: "names have letters, digits and _; a dollar sign that is meant as one is written $$",
    };
  }
  if (rest.includes("${"))
    return { rule: "must not hold one ${…} inside another", hint: "set a variable of its own for it" };
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  const filled = value === "" ? undefined : value;
  if (operator === ":-") return filled ?? rest;
  if (operator === ":?") {
    const rule = `needs the environment variable ${name}: ${rest === "" ? "it is not set" : escapeInvisible(rest)}`;
    return filled ?? { rule, hint: `set ${name}` };
  }
  const rule = `needs the environment variable ${name}, which is not set`;
  return value ?? { rule, hint: `set ${name}, or give a default: \${${name}:-default}` };
}
