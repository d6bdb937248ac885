/** Why there is no answer, in a word that is the same from run to run: `reset`, `timeout`, `not_http`, or the system's own code. */
export function reasonOf(error: Error): string {
  if (error.name === "HTTPParserError") return "not_http";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return REASONS[code] ?? code;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  ETIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_OVERFLOW: "not_http",
};
