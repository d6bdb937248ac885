/** What a server sent on one connection, read by hand, so that nothing is taken for granted about its framing. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  /** Values by lower-case name, joined by ", " where a name comes more than once. */
  readonly headers: ReadonlyMap<string, string>;
  /** Lower-case names and values, in order. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  /** The pieces that a chunked body came in. */
  readonly chunks: readonly string[];
  readonly trailers: readonly string[];
  /** Statuses of the interim answers before it. */
  readonly interim: readonly number[];
  /** Whether it reached the end that its framing promises. */
  readonly complete: boolean;
}

/** The answers in `bytes`; the last one may be incomplete. `methods` are those of the requests, in order. */
export function parseAnswers(bytes: Buffer, methods: readonly string[], ended: boolean): Answer[] {
  const answers: Answer[] = [];
  let interim: number[] = [];
  let position = 0;
  while (position < bytes.length) {
    const head = readHead(bytes, position);
    if (head === undefined) break;
    if (head.status >= 100 && head.status < 200) {
      interim.push(head.status);
      position = head.end;
      continue;
    }
    const body = readBody(bytes, head, { method: methods[answers.length] ?? "GET", ended });
    answers.push({ ...head, ...body, body: body.body.toString("utf8"), interim });
    interim = [];
    if (!body.complete) break;
    position = body.end;
  }
  return answers;
}

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly fields: readonly (readonly [string, string])[];
  readonly end: number;
}

function readHead(bytes: Buffer, start: number): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n", start, "latin1");
  if (end === -1) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", start, end).split("\r\n");
  const match = /^HTTP\/(\d\.\d) (\d{3}) ?(.*)$/.exec(first);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(first.slice(0, 100))}`);
  const headers = new Map<string, string>();
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  for (const [name, value] of fields) {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const [, version = "", status = "", reason = ""] = match;
  return { status: Number(status), reason, version, headers, fields, end: end + 4 };
}

interface Body {
  readonly body: Buffer;
  readonly chunks: readonly string[];
  readonly trailers: readonly string[];
  readonly complete: boolean;
  readonly end: number;
}

function readBody(bytes: Buffer, head: Head, context: { method: string; ended: boolean }): Body {
  const none = { chunks: [], trailers: [] };
  const isBare = context.method === "HEAD" || head.status === 204 || head.status === 304;
  if (isBare) return { ...none, body: Buffer.alloc(0), complete: true, end: head.end };
  if (head.headers.get("transfer-encoding") === "chunked") return readChunks(bytes, head.end);
  const length = head.headers.get("content-length");
  const end = length === undefined ? bytes.length : head.end + Number(length);
  const complete = length === undefined ? context.ended : bytes.length >= end;
  return { ...none, body: bytes.subarray(head.end, end), complete, end };
}

function readChunks(bytes: Buffer, start: number): Body {
  const chunks: Buffer[] = [];
  const result = (complete: boolean, end: number, trailers: readonly string[] = []): Body => {
    return {
      body: Buffer.concat(chunks),
      chunks: chunks.map((chunk) => chunk.toString("utf8")),
      trailers,
      complete,
      end,
    };
  };
  let position = start;
  for (;;) {
    const line = bytes.indexOf("\r\n", position, "latin1");
    if (line === -1) return result(false, bytes.length);
    const size = Number.parseInt(bytes.toString("latin1", position, line), 16);
    if (size === 0) return readTrailers(bytes, line + 2, result);
    const end = line + 2 + size;
    if (bytes.length < end + 2) {
      chunks.push(bytes.subarray(line + 2));
      return result(false, bytes.length);
    }
    chunks.push(bytes.subarray(line + 2, end));
    position = end + 2;
  }
}

function readTrailers(
  bytes: Buffer,
  start: number,
  result: (complete: boolean, end: number, trailers?: readonly string[]) => Body,
): Body {
  if (bytes.toString("latin1", start, start + 2) === "\r\n") return result(true, start + 2);
  const end = bytes.indexOf("\r\n\r\n", start, "latin1");
  if (end === -1) return result(false, bytes.length);
  return result(true, end + 4, bytes.toString("latin1", start, end).split("\r\n"));
}
