import { z } from "zod";
import { choice } from "../fields/field.ts";
import type { Config } from "../types.ts";
import { consumers, identity, jwt } from "./consumers.ts";
import { deployments } from "./deployment.ts";
import { admin, server } from "./server.ts";

// The file `headgate.yaml`. This folder is the only place that says which keys there are, what they take and what they
// mean. The JSON Schema, the reference page and the suggestions for unknown keys all come from here.

const file = z
  .strictObject({
    server: server.prefault({}).describe("Where clients reach the gate."),
    admin: admin
      .optional()
      .describe(
        "Where operators reach the gate: status, consumers and reload, on a port of their own. `{}` takes the defaults below. Left out, there is no such port.",
      ),
    deployments: deployments
      .describe(
        "Deployments by name: one model endpoint each. A name has letters, digits and `. _ : / @ -`, 64 at the most, and begins with a letter or digit.",
      )
      .meta({ minProperties: 1 }),
    consumers: consumers
      .prefault({})
      .describe(
        "Those who ask, by name. A name has letters, digits and `. _ : / @ -`, 64 at the most, and begins with a letter or digit; `pool` is taken. Without consumers the gate is open: it asks for no key, and each remote address is a member of the pool.",
      ),
    anonymous: choice("refuse", "allow")
      .prefault("refuse")
      .describe(
        "What becomes of requests without a key, where there are consumers. `refuse`: 401. `allow`: each remote address is a member of the pool; a wrong key is refused all the same.",
      ),
    identity: identity
      .optional()
      .describe("Lets a proxy in front of the gate say which consumer asks. Left out, only keys and tokens do."),
    jwt: jwt
      .optional()
      .describe(
        "Lets consumers show signed tokens (JWT) of one issuer in place of keys. Left out, tokens are no keys.",
      ),
  })
  .describe("The configuration of `headgate serve`.");

/** The configuration, or what zod has against it. */
export type SchemaReading =
  | { readonly kind: "read"; readonly config: Config }
  | { readonly kind: "refused"; readonly issues: readonly z.core.$ZodIssue[] };

/** Holds a plain value, as YAML gives it, against the schema. */
export function readSchema(tree: unknown): SchemaReading {
  const result = file.safeParse(tree);
  if (!result.success) return { kind: "refused", issues: result.error.issues };
  const { admin, identity, jwt, ...rest } = result.data;
  return { kind: "read", config: { ...rest, admin, identity, jwt } };
}

/** The schema for editors: JSON Schema draft-07 of the file before variables are filled in. */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(file, { io: "input", target: "draft-07" });
}
