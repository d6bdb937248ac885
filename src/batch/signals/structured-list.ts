/** One member of a structured field list: a string or token, and its parameters. */
export interface StructuredItem {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const VALUE = /"(?:[^"\\]|\\["\\])*"|:[A-Za-z0-9+/=]*:|[A-Za-z*][\w!#$%&'*+.^`|~:/-]*|-?\d+(?:\.\d+)?|\?[01]/y;
const KEY = /[a-z*][a-z0-9_.*-]*/y;
const SPACE = /[ \t]*/y;

/**
 * A list of items with parameters: `"burst";q=100;w=60, "daily";q=1000;w=86400`. A member of a dictionary (`limit=10`) is
 * read as an item of that name with its value as the parameter `""`. `undefined` where the text is malformed: such a
 * field is to be ignored as a whole. Source: RFC 9651, without inner lists.
 */
export function readStructuredList(text: string): readonly StructuredItem[] | undefined {
  const reader = new Reader(text);
  const items: StructuredItem[] = [];
  do {
    reader.take(SPACE);
    const value = reader.take(VALUE);
    if (value === undefined) return undefined;
    const parameters = new Map<string, string>();
    if (reader.takes("=")) {
      const member = reader.take(VALUE);
      if (member === undefined) return undefined;
      parameters.set("", plain(member));
    }
    while (reader.takes(";")) {
      reader.take(SPACE);
      const key = reader.take(KEY);
      const parameter = reader.takes("=") ? reader.take(VALUE) : "?1";
      if (key === undefined || parameter === undefined) return undefined;
      parameters.set(key, plain(parameter));
    }
    items.push({ value: plain(value), parameters });
    reader.take(SPACE);
  } while (reader.takes(","));
  return reader.isAtEnd ? items : undefined;
}

function plain(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, "$1") : text;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  takes(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }
}
