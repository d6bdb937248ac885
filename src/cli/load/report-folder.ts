import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import { join } from "node:path";

import type { Visit } from "../../lab/load/types.ts";
import { renderPage } from "../../lab/report/page/page.ts";
import type { Report } from "../../lab/report/types.ts";
import { visitLine } from "../../lab/report/visit-line.ts";
import type { Scenario } from "../../lab/scenario/types.ts";
import { CommandError } from "../exit.ts";

/** Where a run's files go: `report.json`, `report.html`, and per side every request as a line of JSON. */
export class ReportFolder {
  readonly path: string;
  readonly #streams: WriteStream[] = [];
  #broken: Error | undefined;

  /** Makes the folder. Throws a command error where that cannot be. */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw new CommandError(`--report ${path}: cannot be made: ${messageOf(error)}`, undefined, { cause: error });
    }
  }

  /** The file that a side's requests go to. Call what it returns for each of them. */
  requestsOf(side: string, isOnly: boolean, { phases }: Scenario): (visit: Visit) => void {
    const stream = createWriteStream(join(this.path, isOnly ? "requests.jsonl" : `requests-${slug(side)}.jsonl`));
    stream.on("error", (error) => (this.#broken ??= error));
    this.#streams.push(stream);
    return (visit) => void stream.write(`${visitLine(visit, phases[visit.phase]?.name ?? "")}\n`);
  }

  /** Writes the report, and waits until all of it is on the disk. Calls `failed` with a command error where that cannot be. */
  async finish(report: Report, failed: (error: CommandError) => void): Promise<void> {
    await this.close();
    try {
      if (this.#broken !== undefined) throw this.#broken;
      writeFileSync(join(this.path, "report.json"), `${JSON.stringify(report)}\n`);
      writeFileSync(join(this.path, "report.html"), renderPage(report));
    } catch (error) {
      failed(
        new CommandError(`--report ${this.path}: cannot be written: ${messageOf(error)}`, undefined, { cause: error }),
      );
    }
  }

  /** Ends the files that are open. */
  async close(): Promise<void> {
    await Promise.all(this.#streams.splice(0).map((stream) => finished(stream.end()).catch(() => {})));
  }
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
