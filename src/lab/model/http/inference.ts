import type { IncomingMessage, ServerResponse } from "node:http";

import type { Tokens } from "../../../core/units.ts";
import { aloneTimes } from "../alone.ts";
import type { SequenceHandle, SequenceListener, SequenceRequest } from "../engine-types.ts";
import type { Site } from "../site.ts";
import type { AnswerEnd, AnswerFormat, Call, Surface } from "../surfaces/types.ts";
import { drawFate, type Fate } from "../text.ts";
import { AnswerStream } from "./answer-stream.ts";
import { readJson } from "./body.ts";
import { sendError, sendJson, type ErrorFacts } from "./errors.ts";
import { breakOff, FAULT_HEADER, FAULT_NAMES, isFault, type Fault, type MidFault } from "./faults.ts";

/** A fault in the middle of a stream comes after this many tokens. */
const FAULT_AFTER_TOKENS: Tokens = 3;

/** Serves one request that makes the model work. */
export async function serveInference(
  site: Site,
  surface: Surface,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const fault = request.headers[FAULT_HEADER];
  openVisit(site, response, typeof fault === "string" && isFault(fault));
  const body = await readJson(request);
  const refuse = (facts: ErrorFacts): void => sendError(response, surface.errors, facts);
  switch (body.kind) {
    case "gone":
      return;
    case "too-large":
      response.setHeader("connection", "close");
      return refuse({ status: 413, message: "body: too large" });
    case "not-json":
      return refuse({ status: 400, message: "body: not JSON" });
    case "json":
      break;
  }
  if (fault !== undefined && (typeof fault !== "string" || !isFault(fault))) {
    return refuse({ status: 400, message: `${FAULT_HEADER}: must be one of ${FAULT_NAMES}, got ${String(fault)}` });
  }
  const midFault = fault === undefined ? undefined : failEarly(response, fault, refuse);
  if (midFault === "over") return;
  const call = surface.read(body.value, site.preset.modelName);
  if ("problem" in call) return refuse({ status: 400, message: call.problem, param: call.param });
  const { contextTokens } = site.preset.engine;
  if (call.prompt.tokens >= contextTokens) {
    const message = `the prompt has ${call.prompt.tokens} tokens; the model's context holds ${contextTokens}`;
    return refuse({ status: 400, message, code: "context_length_exceeded" });
  }
  // A client that is gone is not heard of again, so its generation must not begin.
  if (!response.destroyed) answer(site, call, response, midFault);
}

/** Counts the request from now until its response is over, and wedges the GPU where it is one too many. */
function openVisit(site: Site, response: ServerResponse, isFaulted: boolean): void {
  site.visits.open();
  if (site.visits.concurrent >= site.preset.engine.wedgeAtConcurrent) site.engine.wedge();
  // A write after the client left must not end the process.
  response.on("error", () => {});
  response.once("close", () => {
    if (isFaulted) site.visits.close("faulted");
    else if (!response.writableFinished) site.visits.close("aborted");
    else site.visits.close(response.statusCode < 400 ? "completed" : "failed");
  });
}

/** Carries out the faults that come before an answer; returns those that come within. */
function failEarly(response: ServerResponse, fault: Fault, refuse: (facts: ErrorFacts) => void): MidFault | "over" {
  switch (fault) {
    case "reset-before-headers":
      response.socket?.resetAndDestroy();
      return "over";
    case "stall-before-headers":
      return "over";
    case "status-500":
      refuse({ status: 500, message: "simulated fault" });
      return "over";
    case "status-503":
      refuse({ status: 503, message: "simulated fault" });
      return "over";
    case "reset-mid-stream":
    case "stall-mid-stream":
    case "close-mid-stream":
      return fault;
  }
}

function answer(site: Site, call: Call, response: ServerResponse, fault: MidFault | undefined): void {
  const { model, maxTokens, prompt } = call;
  const fate = drawFate(site.seed, prompt.text, { output: site.output, maxTokens });
  const format = call.format({
    id: fate.id,
    model,
    promptTokens: prompt.tokens,
    maxTokens,
    aloneTimes: (outputTokens) => aloneTimes(site.preset.engine, prompt.tokens, outputTokens),
  });
  let handle: SequenceHandle | undefined;
  const breakOffAnswer =
    fault === undefined
      ? undefined
      : (): void => {
          handle?.abort();
          breakOff(response, fault);
        };
  const parts: AnswerParts = { response, format, fate, breakOff: breakOffAnswer };
  const listener = call.stream ? streamed(parts) : whole(parts);
  handle = (site.latency ?? site.engine).submit(toSequence(call, fate), listener);
  response.once("close", () => handle?.abort());
}

function toSequence(call: Call, fate: Fate): SequenceRequest {
  const limits = { promptTokens: call.prompt.tokens, maxTokens: call.maxTokens ?? Infinity };
  return call.ignoresEnd ? limits : { ...limits, stopAfterTokens: fate.naturalTokens };
}

interface AnswerParts {
  readonly response: ServerResponse;
  readonly format: AnswerFormat;
  readonly fate: Fate;
  /** Ends the answer in its middle, where a fault was asked for. */
  readonly breakOff: (() => void) | undefined;
}

function streamed({ response, format, fate, breakOff }: AnswerParts): SequenceListener {
  const cut = breakOff === undefined ? undefined : { afterTokens: FAULT_AFTER_TOKENS, run: breakOff };
  const endOf = (reason: AnswerEnd["reason"], outputTokens: Tokens): AnswerEnd =>
    endOfAnswer(fate, reason, outputTokens);
  return new AnswerStream({ response, format, words: fate.words(), endOf, cut });
}

function whole({ response, format, fate, breakOff }: AnswerParts): SequenceListener {
  let tokens: Tokens = 0;
  return {
    token: () => {
      tokens += 1;
    },
    end: (ending) => {
      if (ending === "aborted") return;
      const value = format.whole(endOfAnswer(fate, ending, tokens));
      if (breakOff === undefined) return sendJson(response, 200, value);
      const text = JSON.stringify(value);
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      response.write(text.slice(0, text.length >> 1), breakOff);
    },
  };
}

function endOfAnswer(fate: Fate, reason: AnswerEnd["reason"], outputTokens: Tokens): AnswerEnd {
  return {
    reason,
    outputTokens,
    text: () => {
      const words = fate.words();
      let text = "";
      for (let index = 0; index < outputTokens; index++) text += words();
      return text;
    },
  };
}
