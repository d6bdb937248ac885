import { timingSafeEqual } from "node:crypto";

import type { ConsumerConfig, ConsumerKind } from "../../config/types.ts";
import type { EpochMs } from "../../core/units.ts";
import { DISABLED } from "./answers.ts";
import type { Caller, Known, Refused } from "./identification.ts";
import { digestOf } from "./key.ts";

/** What one key opens. */
export interface KeyEntry {
  /** SHA-256, 32 bytes. */
  readonly digest: Buffer;
  /** `Infinity` where it never expires. */
  readonly expiresAt: EpochMs;
  readonly holder: Known | Refused;
}

const DIGEST_BYTES = 32;

/**
 * Who there is: by key and by name. What a look-up finds is made once, when the configuration is read.
 *
 * A group is nobody who asks: it is found neither way. Somebody is switched off by `enabled: false` of their own or of any
 * of their groups.
 */
export class Directory {
  readonly #byDigest = new Map<string, KeyEntry>();
  readonly #byName = new Map<string, Known | Refused>();
  /** The digest of the key that is looked up; written over by the next. */
  readonly #scratch = Buffer.alloc(DIGEST_BYTES);

  constructor(consumers: readonly ConsumerConfig[]) {
    const off = new Set(consumers.filter(({ enabled }) => !enabled).map(({ name }) => name));
    for (const { name, kind, groups, keys } of consumers) {
      if (isGroup(kind)) continue;
      const isOff = off.has(name) || groups.some((group) => off.has(group));
      const consumer: Caller = { name, kind, groups };
      const holder: Known | Refused = isOff ? DISABLED : { kind: "known", consumer };
      this.#byName.set(name, holder);
      for (const { sha256, expiresAt = Infinity } of keys) {
        this.#byDigest.set(sha256, { digest: Buffer.from(sha256, "hex"), expiresAt, holder });
      }
    }
  }

  /**
   * Finds what a key opens. Time tells a stranger nothing: the table is searched by the digest, which nobody can steer, and
   * the digests are compared in constant time.
   */
  findKey(key: string): KeyEntry | undefined {
    const digest = digestOf(key);
    const entry = this.#byDigest.get(digest);
    if (entry === undefined) return undefined;
    this.#scratch.write(digest, "hex");
    return timingSafeEqual(this.#scratch, entry.digest) ? entry : undefined;
  }

  findName(name: string): Known | Refused | undefined {
    return this.#byName.get(name);
  }
}

function isGroup(kind: ConsumerKind): kind is "group" {
  return kind === "group";
}
