import { writeFile } from "node:fs/promises";
import process from "node:process";

import type { Child } from "./child.ts";

/** What a gate makes of a new file. */
export type GateEdit =
  /** In words, what is new. */
  | { readonly kind: "applied"; readonly changed: string }
  /** The mistakes, with their places, one per line. It runs on as before. */
  | { readonly kind: "refused"; readonly problems: readonly string[] }
  /** It is the content that runs already. */
  | { readonly kind: "unchanged" };

/** What the gate's log says of a reload. */
const VERDICT =
  /applied version \d+: (.*?) {2}asked_by|is unchanged: (version)|(again version)|is refused: version \d+ runs on {2}mistakes=(\d+)\n/;
/** As many as the log lists of a refused file. */
const MOST_LISTED = 10;

/** The file that a gate runs on. One edit at a time. */
export class GateFile {
  readonly path: string;
  #last: { readonly text: string; readonly edit: GateEdit } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Writes what a gate is to start with. */
  async begin(text: string): Promise<void> {
    await writeFile(this.path, text);
    this.#last = { text, edit: { kind: "unchanged" } };
  }

  /** Writes over the file and resolves when the gate has taken it or refused it. Rejects where it says nothing. */
  async apply(text: string, gate: Child): Promise<GateEdit> {
    // The gate logs each refused content once, so that of the same one again it would say nothing.
    if (this.#last?.text === text) return this.#last.edit;
    gate.forget();
    await writeFile(this.path, text);
    // Sooner than the watch on the file, which waits until nobody writes any more. Windows has no such signal.
    if (process.platform !== "win32") gate.signal("SIGHUP");
    const edit = await this.#verdict(gate);
    this.#last = { text, edit };
    return edit;
  }

  async #verdict(gate: Child): Promise<GateEdit> {
    const [changed, isUnchanged, isAgain, mistakes] = await gate.said(VERDICT);
    if (changed !== undefined) return { kind: "applied", changed };
    if (isUnchanged !== undefined || isAgain !== undefined) return { kind: "unchanged" };
    const count = Math.min(Number(mistakes), MOST_LISTED);
    const lines = await gate.said(
      new RegExp(`runs on {2}mistakes=\\d+\\n${"[\\d:]+ {2}error {2}(.*)\\n".repeat(count)}`),
    );
    return { kind: "refused", problems: lines };
  }
}
