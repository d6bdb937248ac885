/** Names and addresses by which a machine calls itself. */
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];

/** Whether an address to listen on is reached from this machine only. Takes a name or an address without brackets. */
export function isLoopback(host: string): boolean {
  const name = canonical(host);
  return LOOPBACK_NAMES.includes(name) || /^127(?:\.\d+){3}$/.test(name) || /^\[::ffff:7f[0-9a-f]{2}:/.test(name);
}

/** Whether an address to listen on stands for all addresses of the machine. */
function isWildcard(host: string): boolean {
  // Node takes an empty one for all, too.
  return host === "" || ["0.0.0.0", "[::]", "[::ffff:0:0]"].includes(canonical(host));
}

/**
 * The values of `Host` that mean this listener: the loopback names and the configured host, each with the port. Lower
 * case. `undefined` for a wildcard address, whose names nobody can list.
 *
 * A page of a stranger whose name was made to resolve to this machine (DNS rebinding) passes every check of a browser,
 * but it sends the stranger's name here.
 */
export function hostsOf(host: string, port: number): ReadonlySet<string> | undefined {
  if (isWildcard(host)) return undefined;
  const names = [...LOOPBACK_NAMES, bracketed(host).toLowerCase(), canonical(host)];
  const withPort = names.map((name) => `${name}:${port}`);
  // Clients leave out the port that everybody knows.
  return new Set(port === 80 ? [...names, ...withPort] : withPort);
}

/** As it stands in a URL: an address of IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** One spelling for each host, as clients send it: `127.1` becomes `127.0.0.1`, and IPv6 is shortened, in brackets. */
function canonical(host: string): string {
  const guess = `http://${bracketed(host)}/`;
  const isName = !/[@/\\?#\s]/.test(host) && URL.canParse(guess);
  return isName ? new URL(guess).hostname.replace(/\.$/, "") : host.toLowerCase();
}
