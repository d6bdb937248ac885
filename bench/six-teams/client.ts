import { Agent, type IncomingMessage, request } from "node:http";

import type { Visit } from "./plan.ts";
import { StreamReader } from "./stream-reader.ts";

/** One question: where to, who asks, and when it was due. */
export interface Question {
  readonly url: string;
  readonly sender: string;
  readonly key: string;
  /** Makes each prompt another one, so that answers are of different length. */
  readonly number: number;
  /** By `performance.now()`. */
  readonly dueAt: number;
  /** When the run began, by the same clock. */
  readonly origin: number;
}

const agent = new Agent({ keepAlive: true });
const FILLER =
  "Say in a few words how a gate at the head of a canal keeps the water fair for everybody below it. ".repeat(5);

/** Asks for a streamed chat of about 116 tokens of input, as in the article, and reads it to its end. */
export function ask(question: Question): Promise<Visit> {
  const { url, sender, key, number, dueAt, origin } = question;
  const messages = [{ role: "user", content: `${sender} ${number}. ${FILLER}` }];
  const body = JSON.stringify({ model: "openai/gpt-oss-20b", messages, stream: true });
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  const sentAt = performance.now();
  const sent = { sender, sentAt: sentAt - origin, late: sentAt - dueAt };
  return new Promise((resolve) => {
    const call = request(`${url}/v1/chat/completions`, { method: "POST", headers, agent }, (response) => {
      read(response, sentAt, (answer) => resolve({ ...sent, ...answer }));
    });
    call.once("error", () => resolve({ ...sent, ...NOTHING }));
    call.end(body);
  });
}

type Answer = Omit<Visit, "sender" | "sentAt" | "late">;

const NOTHING: Answer = {
  status: 0,
  outcome: "",
  retryAfter: Number.NaN,
  firstToken: Number.NaN,
  gaps: [],
  whole: false,
};

function read(response: IncomingMessage, sentAt: number, done: (answer: Answer) => void): void {
  const reader = new StreamReader();
  const gaps: number[] = [];
  let firstToken = Number.NaN;
  let lastAt = 0;
  response.setEncoding("utf8");
  response.on("data", (piece: string) => {
    const tokens = reader.push(piece);
    if (tokens === 0) return;
    const now = performance.now();
    if (Number.isNaN(firstToken)) firstToken = now - sentAt;
    else gaps.push(now - lastAt);
    // Tokens that came together came without a gap.
    for (let more = 1; more < tokens; more++) gaps.push(0);
    lastAt = now;
  });
  response.on("error", () => {});
  response.once("close", () => {
    const { statusCode: status = 0, headers } = response;
    const retryAfter = Number(headers["retry-after"] ?? Number.NaN);
    const outcome = String(headers["x-headgate-outcome"] ?? "");
    done({ status, outcome, retryAfter, firstToken, gaps, whole: reader.done });
  });
}
