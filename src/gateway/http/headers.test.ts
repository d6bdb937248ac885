import { describe, expect, test } from "vitest";

import { type ForwardedFacts, requestHeaders, responseHeaders, withoutRateLimits } from "./headers.ts";

const FACTS: ForwardedFacts = {
  requestId: "id-1",
  remoteAddress: "10.0.0.7",
  host: "gate.example",
  via: "1.1 headgate-x",
  backendKey: undefined,
  forwardCredentials: false,
  identityHeader: "x-consumer",
  uncompressed: false,
};

const OWN = [
  "x-request-id",
  "id-1",
  "x-forwarded-for",
  "10.0.0.7",
  "x-forwarded-proto",
  "http",
  "x-forwarded-host",
  "gate.example",
  "via",
  "1.1 headgate-x",
];

describe("requestHeaders", () => {
  test("keeps names, values and order of what may travel", () => {
    const raw = ["Accept", "a", "X-B", "", "accept", "c"];
    expect(requestHeaders(raw, FACTS)).toEqual([...raw, ...OWN]);
  });

  test.each([
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Host",
    "Content-Length",
    "Expect",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-Id",
    "HTTP2-Settings",
    "X-Conversation-Id",
    "Authorization",
    "X-Api-Key",
    "Api-Key",
    "X-Goog-Api-Key",
    "Cookie",
  ])("leaves out %s, in any case", (name) => {
    expect(requestHeaders([name, "x", name.toUpperCase(), "y", name.toLowerCase(), "z"], FACTS)).toEqual(OWN);
  });

  test("leaves out what Connection names, wherever it stands, and survives what names nothing", () => {
    const raw = [
      "X-A",
      "1",
      "Connection",
      " X-A ,, close,x-b",
      "x-B",
      "2",
      "CONNECTION",
      "x-c",
      "X-C",
      "3",
      "X-D",
      "4",
    ];
    expect(requestHeaders(raw, FACTS)).toEqual(["X-D", "4", ...OWN]);
  });

  test("adds the backend's key, and then never the client's", () => {
    const facts = { ...FACTS, backendKey: "k", forwardCredentials: true };
    expect(requestHeaders(["Authorization", "Bearer c", "Cookie", "c"], facts)).toEqual([
      ...OWN,
      "authorization",
      "Bearer k",
    ]);
  });

  test("passes credentials on where it is told to", () => {
    const raw = ["Authorization", "Bearer c", "X-Api-Key", "c"];
    expect(requestHeaders(raw, { ...FACTS, forwardCredentials: true })).toEqual([...raw, ...OWN]);
  });

  test("says nothing of a host where the client named none", () => {
    expect(requestHeaders([], { ...FACTS, host: undefined })).not.toContain("x-forwarded-host");
  });
});

describe("responseHeaders", () => {
  const read = (...raw: string[]): ReturnType<typeof responseHeaders> =>
    responseHeaders(raw.map((part) => Buffer.from(part, "latin1")));

  test("keeps what may travel, and notes what the relay has to know", () => {
    expect(
      read("Content-Type", "Text/Event-Stream", "X-Request-ID", "r", "Content-Length", "5", "X-\u00e9", "\u00ff"),
    ).toEqual({
      flat: ["Content-Type", "Text/Event-Stream", "X-Request-ID", "r", "Content-Length", "5", "X-\u00e9", "\u00ff"],
      contentType: "text/event-stream",
      hasLength: true,
      hasRequestId: true,
      isEncoded: false,
    });
  });

  test("leaves out what belongs to one connection, and what Connection names", () => {
    const { flat } = read(
      "Connection",
      "X-A",
      "Keep-Alive",
      "x",
      "Transfer-Encoding",
      "chunked",
      "x-a",
      "1",
      "X-B",
      "2",
    );
    expect(flat).toEqual(["X-B", "2"]);
  });

  test("does not believe what it leaves out", () => {
    const { hasLength, contentType } = read(
      "Connection",
      "content-length, content-type",
      "Content-Length",
      "5",
      "Content-Type",
      "a/b",
    );
    expect({ hasLength, contentType }).toEqual({ hasLength: false, contentType: "" });
  });

  test.each([
    ["gzip", true],
    ["br", true],
    ["Identity", false],
  ])("takes an encoding of %s for %s", (value, isEncoded) => {
    expect(read("Content-Encoding", value).isEncoded).toBe(isEncoded);
  });
});

test("the header that names a consumer never travels on, whoever sent it", () => {
  const named = requestHeaders(["X-Consumer", "root", "x-other", "1"], { ...FACTS, identityHeader: "x-consumer" });
  expect(named.slice(0, 2)).toEqual(["x-other", "1"]);
});

test("an answer that is read is asked for without compression", () => {
  const raw = ["Accept-Encoding", "gzip", "accept", "*/*"];
  expect(requestHeaders(raw, { ...FACTS, uncompressed: true })).not.toContain("gzip");
  expect(requestHeaders(raw, FACTS)).toContain("gzip");
});

test("a gate's own rate limit headers stand in place of a backend's", () => {
  const flat = ["X-RateLimit-Limit-Requests", "9", "content-type", "text/plain"];
  expect(withoutRateLimits(flat)).toEqual(["content-type", "text/plain"]);
});
