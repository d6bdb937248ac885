import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/index.ts";
import { CONSUMERS, consumersWith, deploymentWith, digest, messages, report } from "./kit.ts";

// One tiny file for each kind of mistake, and everything that is said about it.

describe("consumers", () => {
  test("a list", () => {
    expect(messages("consumers: [alice]\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:12  consumers  must be a mapping of keys to values, got a list
          1 | consumers: [alice]
            |            ^"
    `);
  });

  test("an empty consumer", () => {
    expect(messages(consumersWith("alice:"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  consumers.alice  is empty
          2 |   alice:
            |   ^"
    `);
  });

  test("a name that is none", () => {
    expect(messages(consumersWith(`"alice smith": { keys: ["${digest("a")}"] }`))).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  consumers["alice smith"]  must be a name of letters, digits and . _ : / @ -, 64 at the most, that begins with a letter or digit, got "alice smith"
          2 |   "alice smith": { keys: *"***********************************************************************"* }
            |   ^"
    `);
  });

  test("the name of the pool", () => {
    expect(messages(consumersWith(`pool: { keys: ["${digest("a")}"] }`))).toMatchInlineSnapshot(`
      "headgate.yaml:2:3  consumers.pool  is the name of the share of all who have no reservation; a consumer needs another
          2 |   pool: { keys: *"***********************************************************************"* }
            |   ^"
    `);
  });

  test("an unknown kind", () => {
    expect(messages(consumersWith(`alice: { kind: agnet, keys: ["${digest("a")}"] }`))).toMatchInlineSnapshot(`
      "headgate.yaml:2:18  consumers.alice.kind  must be user or group or deployment or agent, got "agnet"
          2 |   alice: { kind: agnet, keys: *"***********************************************************************"* }
            |                  ^
        hint: did you mean agent?"
    `);
  });

  test("a group with keys and groups", () => {
    const file = consumersWith(
      `alice: { groups: [team], keys: ["${digest("a")}"] }`,
      `team: { kind: group, keys: ["${digest("b")}"], groups: [team] }`,
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:3:24  consumers.team.keys  is nothing that a group can have
          3 |   team: { kind: group, keys: *"***********************************************************************"*, groups: [team]…
            |                        ^
        hint: give each of its members a key

      headgate.yaml:3:107  consumers.team.groups  is nothing that a group can have
          3 | …********************************************************"*, groups: [team] }
            |                                                              ^
        hint: groups hold users, deployments and agents, never groups"
    `);
  });

  test("a group without members", () => {
    const file = consumersWith(`alice: { keys: ["${digest("a")}"] }`, "team: { kind: group }");
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:3:3  consumers.team  warning: is a group without members
          3 |   team: { kind: group }
            |   ^
        hint: groups: [team] makes a consumer one"
    `);
  });

  test("a group that nobody knows", () => {
    const file = consumersWith(
      `alice: { groups: [taem, payroll], keys: ["${digest("a")}"] }`,
      `bob: { groups: [team, team], keys: ["${digest("b")}"] }`,
      "team: { kind: group }",
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:2:21  consumers.alice.groups[0]  is no consumer of this file, got "taem"
          2 |   alice: { groups: [taem, payroll], keys: *"***********************************************************************"* }
            |                     ^
        hint: did you mean team?

      headgate.yaml:2:27  consumers.alice.groups[1]  is no consumer of this file, got "payroll"
          2 |   alice: { groups: [taem, payroll], keys: *"***********************************************************************"* }
            |                           ^
        hint: known: team

      headgate.yaml:3:25  consumers.bob.groups[1]  is in this list twice, got "team"
          3 |   bob: { groups: [team, team], keys: *"***********************************************************************"* }
            |                         ^"
    `);
  });

  test("a user in a user", () => {
    const file = consumersWith(
      `alice: { groups: [bob, bot], keys: ["${digest("a")}"] }`,
      `bob: { keys: ["${digest("b")}"] }`,
      `bot: { kind: agent, keys: ["${digest("c")}"] }`,
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:2:21  consumers.alice.groups[0]  is no group but a user, got "bob"
          2 |   alice: { groups: [bob, bot], keys: *"***********************************************************************"* }
            |                     ^
        hint: kind: group at consumers.bob makes it one

      headgate.yaml:2:26  consumers.alice.groups[1]  is no group but an agent, got "bot"
          2 |   alice: { groups: [bob, bot], keys: *"***********************************************************************"* }
            |                          ^
        hint: kind: group at consumers.bot makes it one"
    `);
  });

  test("nobody with a key", () => {
    expect(messages(consumersWith("alice: {}"))).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  consumers  warning: have no key among them, and there is neither identity nor jwt: every request is refused with 401
          1 | consumers:
            | ^
        hint: headgate keys new NAME makes a key and prints the line for this file"
    `);
    expect(messages("anonymous: allow\n" + consumersWith("alice: {}"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:1  consumers  warning: have no key among them, and there is neither identity nor jwt: nobody can be told apart
          2 | consumers:
            | ^
        hint: headgate keys new NAME makes a key and prints the line for this file"
    `);
  });
});

describe("keys", () => {
  test("a key in place of its digest", () => {
    expect(messages(consumersWith('alice: { keys: ["hg_live_0123456789abcdefghijklmnopqrstuv_Ab12Cd"] }')))
      .toMatchInlineSnapshot(`
      "headgate.yaml:2:19  consumers.alice.keys[0]  must be sha256: and the 64 hexadecimal digits of the key's SHA-256, never the key itself
          2 |   alice: { keys: *"***********************************************"* }
            |                   ^
        hint: headgate keys new NAME makes a key and prints this line; headgate keys hash prints it for a key that there is"
    `);
  });

  test("a digest without its name", () => {
    expect(messages(consumersWith(`alice: { keys: ["${"a".repeat(64)}"] }`))).toMatchInlineSnapshot(`
      "headgate.yaml:2:19  consumers.alice.keys[0]  must be sha256: and the 64 hexadecimal digits of the key's SHA-256, never the key itself
          2 |   alice: { keys: *"****************************************************************"* }
            |                   ^
        hint: put sha256: in front of the digits"
    `);
  });

  test("a digest with its name twice", () => {
    expect(messages(consumersWith(`alice: { keys: [{ sha256: "${digest("a")}" }] }`))).toMatchInlineSnapshot(`
      "headgate.yaml:2:29  consumers.alice.keys[0].sha256  must be the 64 hexadecimal digits of the key's SHA-256, never the key itself
          2 |   alice: { keys: *{ ******* "***********************************************************************" }* }
            |                             ^
        hint: leave the second sha256: out"
    `);
  });

  test("a digest that is too short", () => {
    expect(messages(consumersWith(`alice: { keys: ["sha256:abc", { sha256: "abc" }] }`))).toMatchInlineSnapshot(`
      "headgate.yaml:2:19  consumers.alice.keys[0]  must be sha256: and the 64 hexadecimal digits of the key's SHA-256, never the key itself
          2 |   alice: { keys: *"**********"* { ******* "***" }* }
            |                   ^
        hint: headgate keys new NAME makes a key and prints this line; headgate keys hash prints it for a key that there is

      headgate.yaml:2:43  consumers.alice.keys[1].sha256  must be the 64 hexadecimal digits of the key's SHA-256, never the key itself
          2 |   alice: { keys: *"**********"* { ******* "***" }* }
            |                                           ^
        hint: headgate keys new NAME makes a key and prints this line; headgate keys hash prints it for a key that there is"
    `);
  });

  test("a key without digest", () => {
    expect(messages(consumersWith("alice: { keys: [{ expires: 2027-01-31 }] }"))).toMatchInlineSnapshot(`
      "headgate.yaml:2:19  consumers.alice.keys[0].sha256  is missing
          2 |   alice: { keys: *{ ******** ********** }* }
            |                   ^"
    `);
  });

  test("a day that no month has, and a time without a zone", () => {
    const file = consumersWith(
      "alice:",
      "  keys:",
      `    - { sha256: "${"a".repeat(64)}", expires: 2027-02-30 }`,
      `    - { sha256: "${"b".repeat(64)}", expires: 2027-02-28T12:00:00 }`,
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:4:96  consumers.alice.keys[0].expires  must be a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z
          4 |   * { ******* "****************************************************************"* ******** ********** }
            |                                                                                            ^

      headgate.yaml:5:96  consumers.alice.keys[1].expires  must be a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z
          5 |   * { ******* "****************************************************************"* ******** ******************* }
            |                                                                                            ^"
    `);
  });

  test("one key of two consumers", () => {
    const file = consumersWith(
      `alice: { keys: ["${digest("a")}", "${digest("A")}"] }`,
      `bob: { keys: [{ sha256: "${"a".repeat(64)}" }] }`,
    );
    expect(messages(file)).toMatchInlineSnapshot(`
      "headgate.yaml:2:94  consumers.alice.keys[1]  is in this list twice
          2 | …*********************************************************"* "***********************************************************…
            |                                                              ^

      headgate.yaml:3:27  consumers.bob.keys[0].sha256  is a key of consumers.alice already
          3 |   bob: { keys: *{ ******* "****************************************************************" }* }
            |                           ^"
    `);
  });

  test("an expired key", () => {
    const text = consumersWith(`alice: { keys: [{ sha256: "${"a".repeat(64)}", expires: 2027-01-31 }] }`);
    const at = (now: number): string => report(parseConfig({ file: "headgate.yaml", text, env: {}, now }));
    expect(at(Date.UTC(2027, 0, 31) - 1)).toBe("");
    expect(at(Date.UTC(2027, 0, 31))).toMatchInlineSnapshot(`
      "headgate.yaml:2:19  consumers.alice.keys[0]  warning: expired on 2027-01-31: it opens nothing any more
          2 |   alice: { keys: *{ ******* "****************************************************************"* ******** ********** }* }
            |                   ^
        hint: take it out, or put a new key in its place"
    `);
  });
});

describe("who is let in", () => {
  test("anonymous, identity and jwt without consumers", () => {
    const file =
      "anonymous: refuse\n" +
      "identity: { header: x-consumer, trusted_proxies: [10.0.0.0/8] }\n" +
      "jwt: { issuer: https://id.example.org, audience: headgate, jwks: ./keys.json }\n";
    expect(messages(file + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:1  anonymous  needs consumers: without them the gate is open to everybody
          1 | anonymous: refuse
            | ^

      headgate.yaml:2:1  identity  needs consumers: without them the gate is open to everybody
          2 | identity: { header: x-consumer, trusted_proxies: [10.0.0.0/8] }
            | ^

      headgate.yaml:3:1  jwt  needs consumers: without them the gate is open to everybody
          3 | jwt: { issuer: https://id.example.org, audience: headgate, jwks: ./keys.json }
            | ^"
    `);
  });

  test("proxies that are no blocks of addresses", () => {
    const proxies = ["10.0.0.1", "10.1.2.3/8", "'fd00::1'", "'fd00::1:0/64'", "10.0.0.0/33", "proxy.example.org"];
    const file = `identity: { header: x-consumer, trusted_proxies: [${proxies.join(", ")}] }\n`;
    expect(messages(file + CONSUMERS + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:51  identity.trusted_proxies[0]  must be a block of addresses like 10.0.0.0/8 or fd00::/8, got "10.0.0.1"
          1 | identity: { header: x-consumer, trusted_proxies: [10.0.0.1, 10.1.2.3/8, 'fd00::1', 'fd00::1:0/64', 10.0.0.0/33, proxy.ex…
            |                                                   ^
        hint: did you mean 10.0.0.1/32?

      headgate.yaml:1:61  identity.trusted_proxies[1]  must begin at the first address of its block, got "10.1.2.3/8"
          1 | identity: { header: x-consumer, trusted_proxies: [10.0.0.1, 10.1.2.3/8, 'fd00::1', 'fd00::1:0/64', 10.0.0.0/33, proxy.ex…
            |                                                             ^
        hint: did you mean 10.0.0.0/8?

      headgate.yaml:1:73  identity.trusted_proxies[2]  must be a block of addresses like 10.0.0.0/8 or fd00::/8, got "fd00::1"
          1 | …header: x-consumer, trusted_proxies: [10.0.0.1, 10.1.2.3/8, 'fd00::1', 'fd00::1:0/64', 10.0.0.0/33, proxy.example.org] }
            |                                                              ^
        hint: did you mean fd00::1/128?

      headgate.yaml:1:84  identity.trusted_proxies[3]  must begin at the first address of its block, got "fd00::1:0/64"
          1 | …onsumer, trusted_proxies: [10.0.0.1, 10.1.2.3/8, 'fd00::1', 'fd00::1:0/64', 10.0.0.0/33, proxy.example.org] }
            |                                                              ^
        hint: did you mean fd00::/64?

      headgate.yaml:1:100  identity.trusted_proxies[4]  must be a block of addresses like 10.0.0.0/8 or fd00::/8, got "10.0.0.0/33"
          1 | …_proxies: [10.0.0.1, 10.1.2.3/8, 'fd00::1', 'fd00::1:0/64', 10.0.0.0/33, proxy.example.org] }
            |                                                              ^

      headgate.yaml:1:113  identity.trusted_proxies[5]  must be a block of addresses like 10.0.0.0/8 or fd00::/8, got "proxy.example.org"
          1 | ….0.0.1, 10.1.2.3/8, 'fd00::1', 'fd00::1:0/64', 10.0.0.0/33, proxy.example.org] }
            |                                                              ^"
    `);
  });

  test("proxies everywhere", () => {
    const file = "identity: { header: x-consumer, trusted_proxies: [0.0.0.0/0, '::/0'] }\n";
    expect(messages(file + CONSUMERS + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:51  identity.trusted_proxies[0]  warning: is every address: whoever reaches the gate can say that it is any consumer
          1 | identity: { header: x-consumer, trusted_proxies: [0.0.0.0/0, '::/0'] }
            |                                                   ^
        hint: name the addresses of the proxy alone

      headgate.yaml:1:62  identity.trusted_proxies[1]  warning: is every address: whoever reaches the gate can say that it is any consumer
          1 | identity: { header: x-consumer, trusted_proxies: [0.0.0.0/0, '::/0'] }
            |                                                              ^
        hint: name the addresses of the proxy alone"
    `);
  });

  test("a header that means something else", () => {
    for (const header of ["Authorization", "x-forwarded-for"]) {
      const file = `identity: { header: ${header}, trusted_proxies: [10.0.0.0/8] }\n`;
      expect(messages(file + CONSUMERS + deploymentWith())).toContain("is a header that has a meaning already");
    }
    const file = "identity: { header: x consumer, trusted_proxies: [10.0.0.0/8] }\n";
    expect(messages(file + CONSUMERS + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:21  identity.header  must be the name of a header, like x-consumer, got "x consumer"
          1 | identity: { header: x consumer, trusted_proxies: [10.0.0.0/8] }
            |                     ^"
    `);
  });

  test("keys of an issuer that anybody could forge", () => {
    const jwt = (jwks: string): string =>
      messages(`jwt: { issuer: i, audience: a, jwks: "${jwks}" }\n` + CONSUMERS + deploymentWith());
    expect(jwt("http://id.example.org/keys")).toMatchInlineSnapshot(`
      "headgate.yaml:1:38  jwt.jwks  must be https: http is for loopback only, got "http://id.example.org/keys"
          1 | jwt: { issuer: i, audience: a, jwks: "http://id.example.org/keys" }
            |                                      ^
        hint: whoever is between here and there could sign in as anybody"
    `);
    expect(jwt("ftp://id.example.org/keys")).toContain("must be an https URL or the path of a file");
    expect(jwt("https://me:pw@id.example.org/keys")).toContain("must not hold a user name or a password");
    expect(jwt("https://169.254.169.254/keys")).toContain("must not be a link-local or cloud metadata address");
    expect(jwt("http://localhost:8200/keys")).toBe("");
    expect(jwt("./keys.json")).toBe("");
  });

  test("an address that everybody reaches says who can use the model now", () => {
    const server = "server: { host: 0.0.0.0 }\n";
    expect(messages(server + "anonymous: allow\n" + CONSUMERS + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:17  server.host  warning: is not loopback, and anonymous is allow: anybody who reaches this address can use the model, without a key too
          1 | server: { host: 0.0.0.0 }
            |                 ^
        hint: anonymous: refuse keeps it to the consumers"
    `);
    expect(messages(server + CONSUMERS + deploymentWith())).toBe("");
  });
});

describe("admin", () => {
  test("an address that others reach, without a token", () => {
    expect(messages("admin: { host: 0.0.0.0 }\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:16  admin.host  is not loopback, which the admin listener may only be with a token
          1 | admin: { host: 0.0.0.0 }
            |                ^
        hint: token: "\${HEADGATE_ADMIN_TOKEN}" asks operators for one, 127.0.0.1 keeps others out"
    `);
    const token = 'admin: { host: 0.0.0.0, token: "0123456789abcdef" }\n';
    expect(messages(token + deploymentWith())).toBe("");
    expect(messages('admin: { host: 0.0.0.0, token: "${T:-}" }\n' + deploymentWith())).toContain(
      "only be with a token",
    );
  });

  test("a token that can be guessed", () => {
    expect(messages("admin: { token: swordfish }\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:17  admin.token  must be 16 visible ASCII characters or more, without blanks
          1 | admin: { token: ********* }
            |                 ^"
    `);
  });

  test("a backend that is the admin listener", () => {
    expect(messages("admin: { port: 8081 }\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:4:16  deployments.a.backends[0]  is the address of the admin listener, which clients must not reach
          4 |   backends: [http://127.0.0.1:8081]
            |              ^"
    `);
  });

  test("the port of the clients", () => {
    expect(messages("admin: { port: 8080 }\n" + deploymentWith())).toMatchInlineSnapshot(`
      "headgate.yaml:1:16  admin.port  is the port of the clients: operators need one of their own
          1 | admin: { port: 8080 }
            |                ^"
    `);
    expect(messages("server: { port: 9090 }\nadmin: {}\n" + deploymentWith())).toContain("is the port of the clients");
    expect(messages("server: { port: 0 }\nadmin: { port: 0 }\n" + deploymentWith())).toBe("");
  });
});
