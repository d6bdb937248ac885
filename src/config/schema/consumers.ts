import { z } from "zod";
import { choice, text, toggle } from "../fields/field.ts";
import { consumerName } from "../fields/names.ts";
import { cidr, headerName, keySetPlace } from "../fields/network.ts";
import { digest, digits, instant } from "../fields/secrets.ts";
import type { ConsumerConfig, IdentityConfig, JwtConfig, KeyConfig } from "../types.ts";

const key: z.ZodType<KeyConfig> = z.union([
  digest().transform((sha256): KeyConfig => ({ sha256 })),
  z
    .strictObject({
      sha256: digits().describe("The 64 hexadecimal digits of the key's SHA-256."),
      expires: instant()
        .optional()
        .describe(
          "When the key stops to be one. A date alone is its first moment in UTC, so that the day before is the last.",
        ),
    })
    .transform(({ sha256, expires }): KeyConfig => ({ sha256, ...(expires !== undefined && { expiresAt: expires }) })),
]);

/** What the file says about one consumer; its name is the key. */
type Unnamed = Omit<ConsumerConfig, "name">;

const consumer: z.ZodType<Unnamed> = z.strictObject({
  kind: choice("user", "group", "deployment", "agent")
    .prefault("user")
    .describe("What it is. A `group` holds other consumers; it has no keys and is in no group itself."),
  groups: z
    .array(consumerName())
    .prefault([])
    .describe(
      "Groups that it is a member of. Where two of them say different things, the one that stands first holds.",
    ),
  keys: z
    .array(key)
    .prefault([])
    .describe(
      "Digests of its API keys, as `headgate keys new NAME` prints them: `sha256:` and 64 hexadecimal digits, or a mapping with a date of expiry. The keys themselves are in no file. Several at once let a key be changed without a gap.",
    ),
  enabled: toggle().prefault(true).describe("With `false`, nobody is let in as this consumer, whatever they show."),
});

/** `consumers`. */
export const consumers: z.ZodType<readonly ConsumerConfig[]> = z
  .record(z.string(), consumer)
  .transform((from) => Object.entries(from).map(([name, rest]) => ({ name, ...rest })));

/** `identity`. */
export const identity: z.ZodType<IdentityConfig> = z
  .strictObject({
    header: headerName().describe("The header that holds the name of the consumer, like `x-consumer`."),
    trusted_proxies: z
      .array(cidr())
      .min(1)
      .describe(
        "Blocks of addresses that the proxies have. From these the header is believed, from all others it is taken off. Danger: whoever can send from such an address can be any consumer.",
      ),
  })
  .transform((from) => ({ header: from.header, trustedProxies: from.trusted_proxies }));

/** `jwt`. */
export const jwt: z.ZodType<JwtConfig> = z.strictObject({
  issuer: text("text like https://login.example.org").describe("Who signs the tokens: the `iss` that they must have."),
  audience: text("text like headgate").describe("For whom they are signed: the `aud` that they must have."),
  jwks: keySetPlace().describe(
    "Where the public keys of the issuer are: an `https` URL (`http` on loopback only), or the path of a JSON file.",
  ),
  claim: text("the name of a claim").prefault("sub").describe("The claim that holds the name of the consumer."),
});
