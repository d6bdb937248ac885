import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import type { Cancel } from "../contracts/clock.ts";
import type { Ms } from "../core/units.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { type FileWatch, hashFile, watchFile } from "./watch.ts";

describe("saving by", () => {
  test("writing in place is told once", async () => {
    const { path, told } = await watched();
    writeFileSync(path, "two");
    expect(await told()).toBe(hashOf("two"));
  });

  test("appending is told once", async () => {
    const { path, told } = await watched();
    appendFileSync(path, " and more");
    expect(await told()).toBe(hashOf("one and more"));
  });

  test("truncating first and writing then is told once, as a whole", async () => {
    const { path, told, turn } = await watched();
    writeFileSync(path, "");
    await turn();
    writeFileSync(path, "two");
    expect(await told()).toBe(hashOf("two"));
  });

  test("writing again before the first has settled is told once the second has", async () => {
    const { path, clock, changes } = await watched();
    const look = async (): Promise<void> => {
      const before = clock.delays.length;
      clock.advance(150);
      await until(() => clock.delays.length > before);
    };
    const before = clock.delays.length;
    writeFileSync(path, "two");
    await until(() => clock.delays.length > before);
    await look();
    writeFileSync(path, "three");
    await look();
    expect(changes).toEqual([]);
    await look();
    expect(changes).toEqual([hashOf("three")]);
  });

  test("renaming over it is told, each time", async () => {
    const { path, told } = await watched();
    for (const text of ["two", "three", "four"]) {
      writeFileSync(`${path}.tmp`, text);
      renameSync(`${path}.tmp`, path);
      expect(await told()).toBe(hashOf(text));
    }
  });

  test("moving the old one away and writing anew, as vim does, is told once", async () => {
    const { path, told } = await watched();
    renameSync(path, `${path}~`);
    writeFileSync(path, "two");
    unlinkSync(`${path}~`);
    expect(await told()).toBe(hashOf("two"));
  });

  test("swapping ..data, as Kubernetes does, is told, each time", async () => {
    const directory = makeDirectory();
    mount(directory, "1", "one");
    symlinkSync(join("..data", "headgate.yaml"), join(directory, "headgate.yaml"));
    const { told } = await watched({ path: join(directory, "headgate.yaml") });
    mount(directory, "2", "two");
    expect(await told()).toBe(hashOf("two"));
    mount(directory, "3", "three");
    expect(await told()).toBe(hashOf("three"));
  });

  test("writing to the file that a link in another directory leads to is told", async () => {
    const [link, target] = [join(makeDirectory(), "link.yaml"), join(makeDirectory(), "target.yaml")];
    writeFileSync(target, "one");
    symlinkSync(target, link);
    const { told } = await watched({ path: link });
    writeFileSync(target, "two");
    expect(await told()).toBe(hashOf("two"));
  });

  test("deleting and making it anew is two changes where somebody looks in between", async () => {
    const { path, told } = await watched();
    unlinkSync(path);
    expect(await told()).toBeUndefined();
    writeFileSync(path, "one");
    expect(await told()).toBe(hashOf("one"));
  });

  test("deleting its directory and making both anew is seen, and so is what is saved there then", async () => {
    const directory = join(makeDirectory(), "inner");
    mkdirSync(directory);
    const path = join(directory, "headgate.yaml");
    writeFileSync(path, "one");
    // Nothing fires for a directory that was not there.
    const { told, clock } = await watched({ path, pollMs: 2_000 });
    rmSync(directory, { recursive: true });
    expect(await told()).toBeUndefined();
    mkdirSync(directory);
    writeFileSync(path, "two");
    expect(await told()).toBe(hashOf("two"));
    clock.delays.length = 0;
    writeFileSync(path, "three");
    // No time passes, so that this is an event.
    await until(() => clock.delays.includes(150));
    expect(await told()).toBe(hashOf("three"));
  });
});

describe("no change is", () => {
  test("touching it", async () => {
    const { path, quiet } = await watched();
    utimesSync(path, new Date(0), new Date(0));
    await quiet();
  });

  test("writing the same again", async () => {
    const { path, quiet } = await watched();
    writeFileSync(path, "one");
    await quiet();
  });

  test("renaming the same over it, or swapping to the same", async () => {
    const { path, quiet } = await watched();
    writeFileSync(`${path}.tmp`, "one");
    renameSync(`${path}.tmp`, path);
    await quiet();
  });

  test("another file beside it", async () => {
    const { path, quiet } = await watched();
    for (let index = 0; index < 20; index++) writeFileSync(`${path}.log`, String(index));
    await quiet();
  });

  test("another content that is gone before it has settled", async () => {
    const { path, quiet, turn } = await watched();
    writeFileSync(path, "half a fi");
    await turn();
    writeFileSync(path, "one");
    await quiet();
  });
});

describe("without events", () => {
  test("a swapped link in the middle of a chain is found by looking", async () => {
    const [first, middle, last] = [makeDirectory(), makeDirectory(), makeDirectory()];
    writeFileSync(join(last, "1.yaml"), "one");
    writeFileSync(join(last, "2.yaml"), "two");
    symlinkSync(join(last, "1.yaml"), join(middle, "link"));
    symlinkSync(join(middle, "link"), join(first, "headgate.yaml"));
    const { told, quiet } = await watched({ path: join(first, "headgate.yaml"), pollMs: 2_000 });
    symlinkSync(join(last, "2.yaml"), join(middle, "new"));
    renameSync(join(middle, "new"), join(middle, "link"));
    await quiet(1_900);
    expect(await told()).toBe(hashOf("two"));
  });

  test("it looks every 2 s, and not in between", async () => {
    const { clock } = await watched({ pollMs: undefined });
    clock.delays.length = 0;
    for (let looks = 1; looks <= 5; looks++) {
      clock.advance(1_999);
      await turns();
      expect(clock.delays).toHaveLength(looks - 1);
      clock.advance(1);
      await until(() => clock.delays.length === looks);
    }
    expect(clock.delays).toEqual([2_000, 2_000, 2_000, 2_000, 2_000]);
  });
});

describe("a watch", () => {
  test("tells what was saved before it began", async () => {
    const path = join(makeDirectory(), "headgate.yaml");
    writeFileSync(path, "two");
    const { told } = await watched({ path, hash: hashOf("one") });
    expect(await told()).toBe(hashOf("two"));
  });

  test("may begin before there is a file", async () => {
    const path = join(makeDirectory(), "headgate.yaml");
    const { told } = await watched({ path });
    writeFileSync(path, "one");
    expect(await told()).toBe(hashOf("one"));
  });

  test("holds nothing once it is closed, and tells nothing", async () => {
    const { path, clock, watch, turn, changes } = await watched();
    writeFileSync(path, "two");
    watch.close();
    watch.close();
    for (let index = 0; index < 20; index++) {
      await turn();
      clock.advance(5_000);
    }
    expect(changes).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("that is closed while it looks arms nothing afterwards", async () => {
    const path = join(makeDirectory(), "headgate.yaml");
    const clock = new RecordingClock();
    watchFile(path, { clock, hash: undefined, onChange: () => expect.fail("told") }).close();
    for (let index = 0; index < 20; index++) await turns();
    expect(clock.pending).toBe(0);
  });
});

describe("hashFile", () => {
  test("is the SHA-256 of the content", async () => {
    const path = join(makeDirectory(), "file");
    writeFileSync(path, "one");
    expect(await hashFile(path)).toBe(hashOf("one"));
  });

  test("has none for what is no file, or not there", async () => {
    expect(await hashFile(makeDirectory())).toBeUndefined();
    expect(await hashFile("/dev/zero")).toBeUndefined();
    expect(await hashFile(join(makeDirectory(), "none"))).toBeUndefined();
  });

  test("reads no more of an endless file than a configuration may have", async () => {
    const path = join(makeDirectory(), "file");
    writeFileSync(path, Buffer.alloc(3_000_000));
    expect(await hashFile(path)).toBe(createHash("sha256").update(Buffer.alloc(1_000_001)).digest("hex"));
  });
});

/** Virtual time that remembers what was scheduled. */
class RecordingClock extends VirtualClock {
  readonly delays: Ms[] = [];

  override after(delay: Ms, run: () => void): Cancel {
    this.delays.push(delay);
    return super.after(delay, run);
  }
}

interface Setup {
  readonly path?: string;
  readonly hash?: string;
  readonly pollMs?: Ms | undefined;
}

interface Watched {
  readonly path: string;
  readonly clock: RecordingClock;
  readonly watch: FileWatch;
  readonly changes: readonly (string | undefined)[];
  /** The hash of the next change. Fails where there was another one before it, or is another one after it. */
  readonly told: () => Promise<string | undefined>;
  /** Holds that nothing is told for so long. Default 3 s. */
  readonly quiet: (duration?: Ms) => Promise<void>;
  /** Lets what is under way in the file system arrive. */
  readonly turn: () => Promise<void>;
}

/**
 * Watches a file, by default one that holds "one", and waits until the watch has looked once. It does not poll unless told
 * to, so that what is found was found by an event.
 */
async function watched(setup: Setup = {}): Promise<Watched> {
  const path = setup.path ?? join(makeDirectory(), "headgate.yaml");
  if (setup.path === undefined) writeFileSync(path, "one");
  const hash = setup.hash ?? (await hashFile(path));
  const polling = "pollMs" in setup ? setup.pollMs : 1e12;
  const clock = new RecordingClock();
  const changes: (string | undefined)[] = [];
  const onChange = (next: string | undefined): void => void changes.push(next);
  const watch = watchFile(path, { clock, hash, onChange, ...(polling !== undefined && { pollMs: polling }) });
  onTestFinished(() => watch.close());
  let seen = 0;
  await until(() => clock.delays.length > 0);
  const pump = async (): Promise<void> => {
    await turns();
    clock.advance(50);
  };
  return {
    path,
    clock,
    watch,
    changes,
    turn: turns,
    told: async () => {
      expect(changes).toHaveLength(seen);
      for (let round = 0; changes.length === seen; round++) {
        if (round > 20_000) throw new Error("nothing was told");
        await pump();
      }
      seen += 1;
      for (let round = 0; round < 20; round++) await pump();
      expect(changes).toHaveLength(seen);
      return changes[seen - 1];
    },
    quiet: async (duration = 3_000) => {
      for (const end = clock.now() + duration; clock.now() < end;) await pump();
      expect(changes).toEqual([]);
    },
  };
}

/** As the kubelet does it: a new directory, and a link to it that is renamed over the old one. */
function mount(directory: string, version: string, text: string): void {
  const old = readdirSync(directory).filter((name) => name.startsWith("..2"));
  const next = `..2026_11_21_${version}`;
  mkdirSync(join(directory, next));
  writeFileSync(join(directory, next, "headgate.yaml"), text);
  symlinkSync(next, join(directory, "..data_tmp"));
  renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
  for (const name of old) rmSync(join(directory, name), { recursive: true });
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "headgate-watch-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200_000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}
