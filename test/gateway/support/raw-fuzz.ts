import * as fc from "fast-check";

/** What must come of a case. */
type Fate =
  /** A backend answers it. */
  | "served"
  /** The gate answers with an error, and no backend hears of it. */
  | "refused"
  /** It has no end: the connection closes, with an answer or without, and no backend hears of it. */
  | "unfinished"
  /** Nobody knows: an answer or a closed connection. */
  | "whatever";

export interface FuzzCase {
  readonly fate: Fate;
  readonly what: string;
  readonly bytes: Buffer;
  /** Where to cut it into pieces, as parts of its length. */
  readonly cuts: readonly number[];
}

/** Stands where the number of the case goes; as long as that. */
const MARK = "@@@@@@@@";

/** A message in parts that can be spoiled one by one. */
interface Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Sizes of the chunks; undefined frames it by its length. */
  readonly chunks: readonly number[] | undefined;
}

function encode({ method, target, version, headers, body, chunks }: Message): Buffer {
  const framing = chunks === undefined ? `Content-Length: ${body.length}` : "Transfer-Encoding: chunked";
  const lines = [`${method} ${target} ${version}`, ...headers, framing];
  return Buffer.concat([latin1(`${lines.join("\r\n")}\r\n\r\n`), chunks === undefined ? body : chunked(body, chunks)]);
}

function chunked(body: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let position = 0;
  for (let index = 0; position < body.length; index++) {
    const piece = body.subarray(position, position + (sizes[index] ?? body.length));
    parts.push(latin1(`${piece.length.toString(16)}\r\n`), piece, latin1("\r\n"));
    position += piece.length;
  }
  return Buffer.concat([...parts, latin1("0\r\n\r\n")]);
}

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

const PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/messages", "/api/chat", "/v1//embeddings/"];

/** A place in something, as a part of its length. Unlike a double, as likely anywhere. */
const part = fc.integer({ min: 0, max: 9_999 }).map((place) => place / 10_000);

const text = fc.string({ unit: "binary", maxLength: 30 });
const number = fc.constantFrom("1e308", "-1e308", "1e999", "-0", "0.1e-400", "123456789012345678901234567890", "1E+2");

/** JSON objects that are odd and yet right, as text. */
const oddJson = fc.oneof(
  fc.jsonValue({ maxDepth: 5 }).map((messages) => JSON.stringify({ model: "m", messages })),
  fc.record({ model: text, prompt: text, stop: fc.array(text) }).map((json) => JSON.stringify(json)),
  fc
    .tuple(number, number)
    .map(([max, n]) => `{"max_tokens":${max},"n":${n},"n_predict":${max},"options":{"num_predict":${n}}}`),
  fc.constantFrom(
    '{"model":null}',
    "{}",
    '{"model":"\\ud800","messages":[{"content":"\\udfff\\u0000"}]}',
    '{"__proto__":{"model":"x"},"constructor":{"prototype":{}},"toString":1,"model":"m"}',
    '{"max_tokens":"many","n":[],"stream":"yes","messages":7,"options":[],"parameters":null}',
    '{"model":"a","model":"b","model":"m"}',
    ` \t\r\n{"":{"":{"":[]}}}\n`,
    `{"prompt":${JSON.stringify("x".repeat(70_000))}}`,
    `{"a":${"[".repeat(100)}${"]".repeat(100)}}`,
  ),
);

/** Bodies that are no JSON object, or one that the gate does not take. */
const badJson = fc.oneof(
  fc.tuple(oddJson, part).map(([json, end]) => cutOpen(json, end)),
  fc
    .constantFrom("[]", "null", '"text"', "1", "", "{'a':1}", "{a:1}", '{"a":NaN}', "{}{}", "\ufeff{}", "<html>")
    .map(utf8),
  fc.constantFrom(1, true, [], {}, ["m"]).map((model) => utf8(JSON.stringify({ model }))),
  fc.integer({ min: 130, max: 100_000 }).map((depth) => utf8(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`)),
  fc.integer({ min: 200, max: 20_000 }).map((depth) => utf8(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)),
  fc.constantFrom([0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff, 0xfe], [0xe2, 0x82], [0x00]).map((bytes) => {
    return Buffer.concat([utf8('{"prompt":"'), Buffer.from(bytes), utf8('"}')]);
  }),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from(bytes), Buffer.from([0])])),
);

function utf8(value: string): Buffer {
  return Buffer.from(value);
}

/** Text up to somewhere before its last brace: never a whole object. */
function cutOpen(json: string, end: number): Buffer {
  return utf8(json.slice(0, Math.floor(json.lastIndexOf("}") * end)));
}

const good: fc.Arbitrary<Message> = fc.record({
  method: fc.constant("POST"),
  target: fc.constantFrom(...PATHS).map((path) => `${path}?case=${MARK}`),
  version: fc.constant("HTTP/1.1"),
  headers: fc
    .subarray(["Accept: */*", "X-Empty:", "X-Wide: \u00e9\u00ff\t", "Connection: keep-alive, X-Empty", "Accept: a/b"])
    .map((headers) => ["Host: gate", `X-Case: ${MARK}`, ...headers]),
  body: oddJson.map(utf8),
  chunks: fc.option(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 8 }), { nil: undefined }),
});

type Spoil = (message: Message) => Message;

/** Heads that are wrong whatever the body is. */
const badHead: fc.Arbitrary<Spoil> = fc.oneof(
  fc
    .constantFrom(
      "Content-Length: 1",
      "Content-Length: 1, 1",
      "Content-Length: x",
      "Content-Length: -1",
      "Transfer-Encoding: gzip",
      "Transfer-Encoding: gzip, chunked",
      "Transfer-Encoding: chunked, identity",
      "Transfer-Encoding:\u000bchunked",
      "X-No-Colon",
      "X-Space : a",
      ": a",
      " folded",
      "X(Bad): a",
      "Content-Encoding: gzip",
      "Upgrade: websocket\r\nConnection: upgrade",
      "Expect: the-unexpected",
      `X-Long: ${"a".repeat(17_000)}`,
      Array.from({ length: 900 }, (_, index) => `X-Many-${index}: aaaaaaaaaa`).join("\r\n"),
    )
    .map((header): Spoil => (message) => ({ ...message, headers: [...message.headers, header] })),
  fc
    .tuple(
      fc.constantFrom("\0", "\u0001", "\u0007", "\b", "\u000b", "\f", "\u001b", "\u001f", "\u007f", "\r", "\n"),
      fc.constantFrom("X-A: a?b", "X?A: b", "X-A: ?", "X-A:?a"),
    )
    .map(([character, place]) => {
      const header = place.replace("?", character);
      return (message: Message): Message => ({ ...message, headers: [...message.headers, header] });
    }),
  fc
    .constantFrom("HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/11", "HTTP/1", "http/1.1", "HTTPS/1.1", "ICE/1.0", "")
    .map((version): Spoil => (message) => ({ ...message, version })),
  fc
    .constantFrom("post", "POSTS", "GET\0", "STEAL", "TRACE", "\u0016\u0003\u0001", "")
    .map((method): Spoil => (message) => ({ ...message, method })),
  fc
    .constantFrom("*", "x", "/a b", "/a\u0001", "/a\0b", "/a\u007f", "ftp://x/", "/..", "/%2e%2e/x", "/a\tb", "")
    .map((target): Spoil => (message) => ({ ...message, target })),
  fc.constant<Spoil>((message) => ({ ...message, headers: message.headers.slice(1) })),
);

/** Chunked bodies that come apart. */
const badChunks = fc.constantFrom(
  "x\r\n{}\r\n0\r\n\r\n",
  "-2\r\n{}\r\n0\r\n\r\n",
  "0x2\r\n{}\r\n0\r\n\r\n",
  " 2\r\n{}\r\n0\r\n\r\n",
  "2\n{}\n0\n\n",
  "2\r\n{}0\r\n\r\n",
  "1\r\n{}\r\n0\r\n\r\n",
  "\r\n2\r\n{}\r\n0\r\n\r\n",
  "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
  `2;${"e".repeat(17_000)}\r\n{}\r\n0\r\n\r\n`,
  "2\r\n{}\r\n0\r\nbad trailer\r\n\r\n",
  "2\r\n{}\r\n0\r\nX-A: \0\r\n\r\n",
  "2\0\r\n{}\r\n0\r\n\r\n",
);

/** Changes bytes here and there. */
const edits = fc.array(
  fc.record({
    at: part,
    how: fc.constantFrom("flip", "drop", "insert", "repeat", "swap"),
    byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('\0\r\n "aZ0/:;,{}'))),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 2 },
);

/** With room for bytes that come or go without spoiling the JSON. */
function padded(message: Message): Message {
  return { ...message, body: Buffer.concat([message.body, Buffer.alloc(60, " ")]) };
}

type Edits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

function edit(bytes: Buffer, changes: Edits): Buffer {
  let result = bytes;
  for (const { at, how, byte, length } of changes) {
    const start = Math.floor(at * result.length);
    const [before, here] = [result.subarray(0, start), result.subarray(start)];
    const [some, rest] = [here.subarray(0, length), here.subarray(length)];
    if (how === "flip") result = Buffer.concat([before, Buffer.from([byte]), here.subarray(1)]);
    else if (how === "drop") result = Buffer.concat([before, rest]);
    else if (how === "insert") result = Buffer.concat([before, Buffer.from([byte]), here]);
    else if (how === "repeat") result = Buffer.concat([before, some, some, rest]);
    else result = Buffer.concat([before, rest.subarray(0, length), some, rest.subarray(length)]);
  }
  return result;
}

const cuts = fc.array(part, { maxLength: 6 });

function caseOf(fate: Fate, what: string, bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<FuzzCase> {
  return fc.tuple(bytes, cuts).map(([each, places]) => ({ fate, what, bytes: each, cuts: places }));
}

/** Requests, good and spoiled, of which it is known what must come of them. */
export const fuzzCase: fc.Arbitrary<FuzzCase> = fc.oneof(
  { weight: 3, arbitrary: caseOf("served", "good", good.map(encode)) },
  {
    weight: 3,
    arbitrary: caseOf(
      "refused",
      "bad JSON",
      fc.tuple(good, badJson).map(([message, body]) => encode({ ...message, body })),
    ),
  },
  {
    weight: 3,
    arbitrary: caseOf(
      "refused",
      "bad head",
      fc.tuple(good, badHead).map(([message, spoil]) => encode(spoil(message))),
    ),
  },
  {
    weight: 2,
    arbitrary: caseOf(
      "refused",
      "bad chunks",
      fc.tuple(good, badChunks).map(([message, body]) => {
        const head = encode({ ...message, body: Buffer.alloc(0), chunks: [] });
        return Buffer.concat([head.subarray(0, head.indexOf("\r\n\r\n") + 4), latin1(body)]);
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: caseOf(
      "unfinished",
      "cut short",
      fc.tuple(good, part).map(([message, end]) => {
        const bytes = encode(message);
        return bytes.subarray(0, Math.floor(bytes.length * end));
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: caseOf(
      "whatever",
      "edited",
      fc.tuple(good, edits).map(([message, changes]) => edit(encode(padded(message)), changes)),
    ),
  },
);

/** What a backend sends, and what it does then. */
export interface FuzzAnswer {
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
  readonly afterwards: "waits" | "ends" | "resets";
}

const answers = fc.constantFrom(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}',
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
  'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n{"done":false}\n{"done":true}\n',
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=1\r\n\r\n",
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n',
  "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy",
  "HTTP/1.0 500 Oops\r\n\r\nbroken",
);

/** Answers of a backend that has lost its mind. */
export const fuzzAnswer: fc.Arbitrary<FuzzAnswer> = fc.record({
  bytes: fc.oneof(
    fc.tuple(answers, edits).map(([answer, changes]) => edit(latin1(answer), changes)),
    fc.tuple(answers, part).map(([answer, end]) => latin1(answer.slice(0, Math.floor(answer.length * end)))),
    fc.tuple(answers, answers).map(([first, second]) => latin1(first + second)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  ),
  cuts,
  afterwards: fc.constantFrom("waits", "ends", "resets"),
});

/** The bytes with the number of the case in them, in pieces. */
export function piecesOf({ bytes, cuts: places }: Pick<FuzzCase, "bytes" | "cuts">, id: string = MARK): Buffer[] {
  const marked = Buffer.from(bytes.toString("latin1").replaceAll(MARK, id), "latin1");
  const ends = [...places.map((place) => Math.floor(place * marked.length)).sort((a, b) => a - b), marked.length];
  return ends.map((end, index) => marked.subarray(index === 0 ? 0 : ends[index - 1], end));
}
