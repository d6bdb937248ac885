import { BlockList, isIP } from "node:net";

/** IPv4 as a dual-stack socket shows it. */
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** The addresses whose identity header is believed. */
export class TrustedProxies {
  readonly #blocks = new BlockList();

  /** CIDR blocks, or single addresses. Throws an `Error` that names the block which is neither. */
  constructor(blocks: readonly string[]) {
    for (const block of blocks) this.#add(block);
  }

  /** Whether the peer of a socket is one of them. An address that is missing or cannot be read is not. */
  has(remoteAddress: string | undefined): boolean {
    if (remoteAddress === undefined) return false;
    const address = plain(remoteAddress);
    const version = isIP(address);
    return version !== 0 && this.#blocks.check(address, version === 4 ? "ipv4" : "ipv6");
  }

  #add(block: string): void {
    const [written = "", length, ...rest] = block.split("/");
    const address = plain(written);
    const version = isIP(address);
    const isMapped = address !== written && version === 4;
    const most = version === 4 ? 32 : 128;
    const prefix = length === undefined ? most : Number(length) - (isMapped ? 96 : 0);
    const isPrefix = (length === undefined || /^\d{1,3}$/.test(length)) && prefix >= 0 && prefix <= most;
    if (version === 0 || !isPrefix || rest.length > 0) {
      throw new Error(`identity.trusted_proxies: ${JSON.stringify(block)} is no address or CIDR block`);
    }
    this.#blocks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
}

/** Without the zone of a link-local address, and IPv4 as such. */
function plain(address: string): string {
  const [bare = address] = address.split("%", 1);
  return MAPPED.exec(bare)?.[1] ?? bare;
}
