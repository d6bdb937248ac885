import type { BackendConfig, Config } from "../config/types.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Ms } from "../core/units.ts";
import { Backend } from "./backend/backend.ts";
import { fetchSmall, type SmallAnswer } from "./backend/fetch-small.ts";

/** What one look at a backend showed. */
export interface BackendLook {
  readonly deployment: string;
  readonly url: string;
  /** "answers", or why it does not. */
  readonly state: string;
  readonly answers: boolean;
  /** The first model that it lists. */
  readonly model: string | undefined;
}

const LOOK_TIMEOUT_MS: Ms = 2_000;

/** Looks once at every backend of a configuration, for the lines that a start prints. */
export async function lookAtBackends(config: Config, clock: Clock): Promise<readonly BackendLook[]> {
  return Promise.all(
    config.deployments.flatMap(({ name, backends, timeouts }) =>
      backends.map((backend) =>
        look(name, backend, { clock, connectMs: Math.min(timeouts.connectMs, LOOK_TIMEOUT_MS) }),
      ),
    ),
  );
}

async function look(
  deployment: string,
  config: BackendConfig,
  { clock, connectMs }: { clock: Clock; connectMs: Ms },
): Promise<BackendLook> {
  const backend = new Backend(config, 1, { clock, connectMs, abortGraceMs: 0 });
  const ask = (path: string): Promise<SmallAnswer> =>
    new Promise((resolve) => fetchSmall(backend, { path, clock, timeoutMs: LOOK_TIMEOUT_MS }, resolve));
  const health = await ask("/health");
  const answers = health.kind === "answer" && health.status < 500;
  const models = answers ? await ask("/v1/models") : undefined;
  backend.pool.close();
  return {
    deployment,
    url: config.url,
    answers,
    state: describe(health),
    model: models?.kind === "answer" ? firstModel(models.body) : undefined,
  };
}

function describe(answer: SmallAnswer): string {
  switch (answer.kind) {
    case "answer":
      return answer.status < 500 ? "answers" : `answers ${answer.status}, it may still be loading`;
    case "timeout":
      return `has not answered within ${LOOK_TIMEOUT_MS / 1_000} s`;
    case "failed": {
      const refused = "code" in answer.error && answer.error.code === "ECONNREFUSED";
      return refused ? "refuses connections; is it running?" : `cannot be reached: ${answer.error.message}`;
    }
  }
}

function firstModel(body: Buffer): string | undefined {
  return /"id"\s*:\s*"([^"\\]{1,200})"/.exec(body.toString("utf8"))?.[1];
}
