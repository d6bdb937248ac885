import type { ServerResponse } from "node:http";

import type { Clock } from "../../contracts/clock.ts";
import { printable } from "../http/printable.ts";
import type { ProxyStats } from "../stats.ts";
import type { ConsumerSummary } from "./consumers.ts";
import type { Page } from "./pages.ts";
import { refusal } from "./refusal.ts";
import { refuse, reply } from "./reply.ts";
import type { AdminSource, ConfigurationStatus, ReloadResult } from "./source.ts";

/** `GET /api/v1/status`: everything that `/proxy/stats` has, with all members, and the state of the file. */
interface AdminStatus extends ProxyStats {
  readonly configuration: ConfigurationStatus;
}

/** `GET /api/v1/consumers`. */
interface ConsumerList {
  readonly consumers: readonly ConsumerSummary[];
}

/** `POST /api/v1/reload`, where the file was taken. `changed` is empty where the file is the one that runs already. */
interface ReloadAnswer {
  readonly version: number;
  readonly changed: readonly string[];
  readonly needs_restart: readonly string[];
}

export interface AnswerContext {
  readonly source: AdminSource;
  readonly suggest: (name: string, known: Iterable<string>) => string | undefined;
  readonly clock: Clock;
}

/** Answers a request that may ask. */
export async function answerPage(page: Page, response: ServerResponse, context: AnswerContext): Promise<void> {
  const { source, clock } = context;
  switch (page.kind) {
    case "healthz":
      return reply(response, 200, { status: "ok" }, { clock });
    case "status": {
      const status: AdminStatus = { ...source.gate.stats(), configuration: source.configuration.status() };
      return reply(response, 200, status, { clock });
    }
    case "consumers": {
      const list: ConsumerList = { consumers: source.gate.consumers() };
      return reply(response, 200, list, { clock });
    }
    case "consumer":
      return answerConsumer(page.name, response, context);
    case "reload":
      return answerReload(await source.configuration.reload("admin"), response, clock);
  }
}

function answerConsumer(name: string, response: ServerResponse, { source, suggest, clock }: AnswerContext): void {
  const consumer = source.gate.consumer(name);
  if (consumer !== undefined) return reply(response, 200, consumer, { clock });
  const known = source.gate.consumers().map((row) => row.name);
  const meant = suggest(name, known);
  const hint = meant === undefined ? "GET /api/v1/consumers lists them." : `Did you mean ${meant}?`;
  const why = refusal("unknown_consumer", `There is no consumer ${printable(name, 64)}. ${hint}`);
  refuse(response, why, { clock });
}

function answerReload(result: ReloadResult, response: ServerResponse, clock: Clock): void {
  const { version } = result;
  switch (result.kind) {
    case "applied":
    case "unchanged": {
      const changed = result.kind === "applied" ? result.changed : [];
      const answer: ReloadAnswer = { version, changed, needs_restart: result.needsRestart };
      return reply(response, 200, answer, { clock });
    }
    case "rejected": {
      const why = refusal("invalid_configuration", `The file has mistakes. Version ${version} runs on.`);
      return refuse(response, why, { clock }, { version, problems: result.problems });
    }
  }
}
