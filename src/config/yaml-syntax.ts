import type { Document, ErrorCode } from "yaml";
import { LineCounter, parseDocument, visit } from "yaml";

/** A mistake of YAML itself, before any key has a meaning. */
export interface SyntaxFault {
  readonly offset: number;
  readonly rule: string;
  readonly hint?: string | undefined;
}

/** A file as far as YAML understands it. */
export interface ParsedText {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly faults: readonly SyntaxFault[];
}

/**
 * Our own sentence for each error of the parser: its own ones quote the source, which may hold a secret, and speak of
 * tokens.
 */
const RULES = {
  ALIAS_PROPS: "an alias (*name) can have no tag and no anchor",
  BAD_ALIAS: "an anchor or alias needs a name of letters, digits, - and _",
  BAD_COLLECTION_TYPE: "this tag does not fit the value behind it",
  BAD_DIRECTIVE: "no directive that YAML has",
  BAD_DQ_ESCAPE: "no escape that text in double quotes can have",
  BAD_INDENT: "indented differently from what it belongs to",
  BAD_PROP_ORDER: "an anchor or tag stands behind its value",
  BAD_SCALAR_START: "text that begins with this character needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second key on the same line",
  BLOCK_IN_FLOW: "lines with dashes or indentation cannot stand inside { } or [ ]",
  DUPLICATE_KEY: "a key that the mapping has already",
  IMPOSSIBLE: "this has no meaning",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters",
  MISSING_CHAR: "a quote, bracket, comma or colon is missing here",
  MULTILINE_IMPLICIT_KEY: "a key that goes on in the next line; perhaps its colon is missing",
  MULTIPLE_ANCHORS: "a second anchor for one value",
  MULTIPLE_DOCS: "a second document begins here (---), and a configuration is one document",
  MULTIPLE_TAGS: "a second tag for one value",
  NON_STRING_KEY: "a key that is not text",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "indented with a tab, where YAML wants blanks",
  TAG_RESOLVE_FAILED: "a tag (!name), and a configuration has none",
  UNEXPECTED_TOKEN: "this does not belong here",
} as const satisfies Record<ErrorCode, string>;

/** Parses YAML 1.2 and collects every fault. Never throws; repeated keys are left for the tree, which knows their path. */
export function parseYaml(text: string): ParsedText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    // The parser's own check takes the square of the number of keys.
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: "error",
    lineCounter: lines,
  });
  const faults: SyntaxFault[] = [];
  let openQuote = Infinity;
  for (const { code, pos, message } of [...document.errors, ...document.warnings]) {
    const quote = code === "MISSING_CHAR" && message.includes("quote") ? quoteAround(document, pos[0]) : undefined;
    openQuote = Math.min(openQuote, quote ?? Infinity);
    const rule = quote === undefined ? RULES[code] : "the quote that opens here is never closed";
    faults.push({ offset: quote ?? pos[0], rule: `is not valid YAML: ${rule}` });
  }
  const { explicit, version } = document.directives.yaml;
  if (explicit === true && version !== "1.2") {
    faults.push({ offset: 0, rule: "must be YAML 1.2", hint: "take the %YAML line out" });
  }
  // A quote that is never closed swallows the rest.
  const before = faults.filter(({ offset }) => offset <= openQuote);
  const hinted = firstOfEachLine(before, lines).map((fault) => ({ hint: hintFor(text, fault.offset), ...fault }));
  return { document, lines, faults: hinted };
}

/** Where a quoted text begins that goes on to `end`: the parser reports a missing quote where it gave up looking for it. */
function quoteAround(document: Document.Parsed, end: number): number | undefined {
  let start: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      const quoted = type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE";
      if (quoted && range && range[0] < end && range[1] >= end) start = range[0];
    },
  });
  return start;
}

/**
 * The most common traps: `{ port: ${PORT} }`, where the brace of the reference opens a mapping of its own, and `floor: >= 99%`,
 * where the sign opens a text of several lines.
 */
function hintFor(text: string, offset: number): string | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const line = text.slice(start, end === -1 ? undefined : end);
  if (line.includes("${")) return 'put text with a reference in quotes: "${NAME}"';
  return /[:,[]\s*>=?\s*\d/.test(line) ? 'put text that begins with > in quotes: ">= 99%"' : undefined;
}

/** Later complaints about a line come from the first one. */
function firstOfEachLine(faults: readonly SyntaxFault[], lines: LineCounter): readonly SyntaxFault[] {
  const seen = new Set<number>();
  return faults
    .toSorted((a, b) => a.offset - b.offset)
    .filter(({ offset }) => {
      const { line } = lines.linePos(offset);
      const first = !seen.has(line);
      seen.add(line);
      return first;
    });
}
