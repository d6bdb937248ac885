import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { Appender } from "./appender.ts";
import { InOrder } from "./in-order.ts";
import { LaterFile } from "./later-file.ts";
import { repairTail, wholeLines } from "./repair.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), "headgate-output-"));
  folders.push(folder);
  return join(folder, "out.jsonl");
}

describe("the end of a file", () => {
  it("is cut back to the last line end, whatever stands behind it", async () => {
    const path = file();
    const line = fc.string({ maxLength: 30 }).map((text) => text.replaceAll("\n", ""));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), line, async (lines, tail) => {
        const whole = lines.map((text) => `${text}\n`).join("");
        writeFileSync(path, whole + tail);
        expect(await wholeLines(path)).toBe(Buffer.byteLength(whole));
        const repair = await repairTail(path);
        expect(repair.kind).toBe(tail === "" ? "whole" : "cut");
        expect(readFileSync(path, "utf8")).toBe(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("is found behind a long torn line", async () => {
    const path = file();
    writeFileSync(path, `ok\n${"x".repeat(300_000)}`);
    expect(await repairTail(path)).toEqual({ kind: "cut", bytes: 300_000 });
    expect(readFileSync(path, "utf8")).toBe("ok\n");
  });
});

describe("Appender", () => {
  it("writes lines whole and in order, many at once, behind what is there", async () => {
    const path = file();
    writeFileSync(path, "first\n");
    const appender = await Appender.open(path, () => {});
    const lines = Array.from({ length: 5_000 }, (_, index) => `${index} é\n`);
    for (const line of lines) appender.append(line);
    await appender.room();
    await appender.close();
    expect(readFileSync(path, "utf8")).toBe(`first\n${lines.join("")}`);
  });

  it("is full when much waits, and has room again", async () => {
    const appender = await Appender.open(file(), () => {});
    expect(appender.isFull).toBe(false);
    appender.append("x".repeat(5_000_000));
    expect(appender.isFull).toBe(true);
    await appender.room();
    expect(appender.isFull).toBe(false);
    await appender.close();
  });

  it.skipIf(!existsSync("/dev/full"))(
    "tells of a line that cannot be written, once at once and again at the end",
    async () => {
      const heard: unknown[] = [];
      const appender = await Appender.open("/dev/full", (error) => heard.push(error));
      appender.append("x\n");
      await expect(appender.close()).rejects.toThrow(/the disk is full/);
      expect(heard).toHaveLength(1);
    },
  );

  it.skipIf(!existsSync("/dev/full"))("says which file could not be written, and why", async () => {
    const heard: unknown[] = [];
    const appender = await Appender.open("/dev/full", (error) => heard.push(error));
    appender.append("a\n");
    await expect(appender.close()).rejects.toThrow("cannot write /dev/full: the disk is full");
    expect(heard).toHaveLength(1);
  });

  it("does not end well where its file was removed, or another one stands in its place", async () => {
    const path = file();
    const removed = await Appender.open(path, () => {});
    removed.append("a\n");
    await removed.room();
    rmSync(path);
    await expect(removed.close()).rejects.toThrow(`${path} was removed or replaced`);
    const replaced = await Appender.open(path, () => {});
    rmSync(path);
    writeFileSync(path, "other\n");
    await expect(replaced.close()).rejects.toThrow(`${path} was removed or replaced`);
  });

  it("may open its file late, or never", async () => {
    const path = file();
    const unused = new LaterFile(path, () => {});
    await unused.close();
    expect(await wholeLines(path)).toBe(0);
    const used = new LaterFile(path, () => {});
    used.append("a\n");
    used.append("b\n");
    await used.room();
    used.append("c\n");
    await used.close();
    expect(readFileSync(path, "utf8")).toBe("a\nb\nc\n");
    const heard: unknown[] = [];
    const broken = new LaterFile("/nowhere/x", (error) => heard.push(error));
    broken.append("a\n");
    await expect(broken.close()).rejects.toThrow("cannot write /nowhere/x: there is no such file");
    expect(heard).toHaveLength(1);
  });
});

describe("InOrder", () => {
  it("brings any order into that of the rows, and holds no more than it must", () => {
    const order = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, index) => index),
        { minLength: count, maxLength: count },
      ),
    );
    fc.assert(
      fc.property(order, (places) => {
        const inOrder = new InOrder();
        const written: number[] = [];
        const seen = new Set<number>();
        for (const place of places) {
          inOrder.put(place, () => written.push(place));
          seen.add(place);
          let next = 0;
          while (seen.has(next)) next += 1;
          expect(inOrder.next).toBe(next);
          expect(inOrder.held).toBe(seen.size - next);
        }
        expect(written).toEqual(places.toSorted((a, b) => a - b));
      }),
    );
  });

  it("writes what it holds over the gaps of rows that will not come", () => {
    const inOrder = new InOrder();
    const written: number[] = [];
    for (const place of [5, 0, 3]) inOrder.put(place, () => written.push(place));
    inOrder.flush();
    expect(written).toEqual([0, 3, 5]);
    expect(inOrder.held).toBe(0);
  });
});
