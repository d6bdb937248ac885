import type { Alias, Document, YAMLMap } from "yaml";
import { isAlias, isMap, isNode, isScalar, isSeq } from "yaml";
import type { Environment } from "./interpolate.ts";
import { interpolate } from "./interpolate.ts";
import type { SecretRange } from "./mask.ts";
import { isSecretKey } from "./mask.ts";
import type { ConfigPath, Finding } from "./problem.ts";
import { quote } from "./show.ts";

/** Where a value stands, and how it came about. */
export interface Place {
  readonly key: number | undefined;
  readonly value: number;
  /** The text of the file, where a variable is filled in; what was filled in may be a secret. */
  readonly template: string | undefined;
  /** False where a reference could not be filled, so that the value says nothing. */
  readonly usable: boolean;
}

/** A YAML document as plain values, and the way back from each path to its place. */
export interface Tree {
  readonly value: unknown;
  readonly places: ReadonlyMap<string, Place>;
  readonly secrets: readonly SecretRange[];
  readonly findings: readonly Finding[];
  /** False where the document is too big or too deep to be taken as a whole. */
  readonly complete: boolean;
}

/** No honest file comes near these; a file that was made to blow up does. */
const MOST_VALUES = 100_000;
const MOST_ALIASES = 100;
const DEEPEST = 32;

/** The name of a path among the places. */
export function placeName(path: ConfigPath): string {
  return JSON.stringify(path);
}

/** Turns a document into plain values, with variables filled into its scalars. Mappings have no prototype. */
export function buildTree(document: Document.Parsed, environment: Environment): Tree {
  const builder = new TreeBuilder(document, environment);
  const value = builder.build(document.contents, [], { key: undefined, secret: false });
  return {
    value,
    places: builder.places,
    secrets: builder.secrets,
    findings: builder.findings,
    complete: builder.complete,
  };
}

interface Context {
  /** Offset of the key, where the value has one. */
  readonly key: number | undefined;
  readonly secret: boolean;
}

class TreeBuilder {
  readonly places = new Map<string, Place>();
  readonly secrets: SecretRange[] = [];
  readonly findings: Finding[] = [];
  complete = true;
  readonly #document: Document.Parsed;
  readonly #environment: Environment;
  #values = 0;
  #aliases = 0;

  constructor(document: Document.Parsed, environment: Environment) {
    this.#document = document;
    this.#environment = environment;
  }

  build(node: unknown, path: ConfigPath, context: Context): unknown {
    this.#values += 1;
    if (path.length > DEEPEST) return this.#giveUp(path.slice(0, 1), "is nested too deeply");
    if (this.#values > MOST_VALUES) return this.#giveUp([], `has more than ${MOST_VALUES} values`);
    const range = rangeOf(node);
    const value = (isEmpty(node) ? context.key : undefined) ?? range?.start ?? 0;
    this.places.set(placeName(path), { key: context.key, value, template: undefined, usable: true });
    if (context.secret && range !== undefined) this.secrets.push(range);
    if (isMap(node)) return this.#mapping(node, path, context);
    if (isSeq(node))
      return node.items.map((item, index) => this.build(item, [...path, index], { ...context, key: undefined }));
    if (isAlias(node)) return this.#follow(node, path, context);
    return isScalar(node) ? this.#scalar(node.value, path) : null;
  }

  #mapping(node: YAMLMap, path: ConfigPath, context: Context): unknown {
    // Without a prototype, no key of the file is special.
    const mapping: Record<string, unknown> = Object.create(null);
    for (const { key, value } of node.items) {
      const name = keyText(key);
      const offset = rangeOf(key)?.start;
      if (name === undefined || name === "__proto__") {
        this.#find({ path, at: "value", rule: "has a key that cannot be used", offset });
      } else if (name in mapping) {
        this.#find({ path: [...path, name], at: "key", rule: "is there twice", offset });
      } else {
        const secret = context.secret || isSecretKey(name);
        mapping[name] = this.build(value, [...path, name], { key: offset, secret });
      }
    }
    return mapping;
  }

  #follow(alias: Alias, path: ConfigPath, context: Context): unknown {
    this.#aliases += 1;
    if (this.#aliases > MOST_ALIASES)
      return this.#giveUp(path, `is more than the ${MOST_ALIASES} aliases that a file may use`);
    const target = alias.resolve(this.#document);
    if (target !== undefined) return this.build(target, path, context);
    this.#find({
      path,
      at: "value",
      rule: "is an alias of an anchor that is not there",
      received: quote(`*${alias.source}`),
    });
    this.#spoil(path);
    return null;
  }

  #scalar(value: unknown, path: ConfigPath): unknown {
    if (typeof value !== "string") return value;
    const filled = interpolate(value, this.#environment);
    if (filled.faults.length > 0) {
      for (const fault of filled.faults) this.#find({ path, at: "value", ...fault });
      this.#spoil(path);
      return value;
    }
    const place = this.places.get(placeName(path));
    if (filled.fromEnvironment && place !== undefined) this.places.set(placeName(path), { ...place, template: value });
    return filled.text;
  }

  /** The value says nothing, and its mistake is known: whatever else is found there is only a consequence. */
  #spoil(path: ConfigPath): void {
    const place = this.places.get(placeName(path));
    if (place !== undefined) this.places.set(placeName(path), { ...place, usable: false });
  }

  #giveUp(path: ConfigPath, rule: string): undefined {
    if (this.complete) this.#find({ path, at: "value", rule });
    this.complete = false;
  }

  #find(finding: Omit<Finding, "severity">): void {
    this.findings.push({ severity: "error", ...finding });
  }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  return typeof key.value === "string" ? key.value : key.source;
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source === "");
}

function rangeOf(node: unknown): SecretRange | undefined {
  const range = isNode(node) ? node.range : undefined;
  return range ? { start: range[0], end: range[1] } : undefined;
}
