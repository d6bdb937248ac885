/** The pages of the admin listener. */
export type Page =
  | { readonly kind: "healthz" }
  | { readonly kind: "status" }
  | { readonly kind: "consumers" }
  | { readonly kind: "consumer"; readonly name: string }
  | { readonly kind: "reload" };

const CONSUMERS = "/api/v1/consumers/";

const FIXED: ReadonlyMap<string, Page> = new Map<string, Page>([
  ["/healthz", { kind: "healthz" }],
  ["/api/v1/status", { kind: "status" }],
  ["/api/v1/consumers", { kind: "consumers" }],
  ["/api/v1/reload", { kind: "reload" }],
]);

/** What can be asked for, for people. */
export const PATHS: readonly string[] = [...FIXED.keys(), `${CONSUMERS}NAME`];

/** The page that a request target means, by its exact path; a query means nothing. `undefined`: there is none. */
export function pageOf(target: string): Page | undefined {
  const path = target.split("?", 1)[0] ?? "";
  const fixed = FIXED.get(path);
  if (fixed !== undefined) return fixed;
  if (!path.startsWith(CONSUMERS)) return undefined;
  const name = decode(path.slice(CONSUMERS.length));
  return name === undefined || name === "" ? undefined : { kind: "consumer", name };
}

/** The methods of a page, as `Allow` has them. */
export function methodsOf(page: Page): readonly string[] {
  return page.kind === "reload" ? ["POST"] : ["GET", "HEAD"];
}

/** One path segment. */
function decode(segment: string): string | undefined {
  if (segment.includes("/")) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
