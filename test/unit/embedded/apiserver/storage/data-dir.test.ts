import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../../../src/embedded/apiserver/object.ts";
import { type DataDir, openDataDir } from "../../../../../src/embedded/apiserver/storage/data-dir.ts";
import type { StoreEvent } from "../../../../../src/embedded/apiserver/storage/store.ts";
import { setDiskFull } from "../../../../chaos/full-disk.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-data-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const journal = () => join(dir, "state.journal");
const open = (compactBytes?: number) =>
  openDataDir(dir, {
    onFailure: (error) => {
      throw error;
    },
    ...(compactBytes === undefined ? {} : { compactBytes }),
  });
const object = (name: string, value: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name },
  value,
});
const contents = ({ store }: DataDir) =>
  [...store.entries()].map(([resource, { key, object: stored }]) => `${resource} ${key}=${String(stored.value)}`);

describe("a data directory", () => {
  test("what was stored is there again, with its versions; deleted objects are not", async () => {
    const one = await open();
    one.store.create("things", "a", object("a", "1"));
    one.store.create("things", "b", object("b", "1"));
    const changed = one.store.update("things", "a", object("a", "2"));
    one.store.delete("things", "b");
    one.notes.set("identity", { token: "t" });
    const last = one.store.revision();
    await one.close();
    const two = await open();
    expect(contents(two)).toEqual(["things a=2"]);
    expect(two.store.get("things", "a")?.object.metadata.resourceVersion).toBe(String(changed.revision));
    expect(two.notes.get("identity")).toEqual({ token: "t" });
    expect(two.store.revision()).toBeGreaterThan(last);
    expect(two.store.create("things", "c", object("c", "1")).revision).toBe(two.store.revision());
    await two.close();
  });

  test("events from before the start are not known any more, and say so", async () => {
    const one = await open();
    const { revision } = one.store.create("things", "a", object("a", "1"));
    await one.close();
    const two = await open();
    expect(() => two.store.watch("things", revision, () => undefined)).toThrow(/too old resource version/);
    expect(() => two.store.watch("things", two.store.revision(), () => undefined)).not.toThrow();
    await two.close();
  });

  test("listeners hear of what is there when the store announces it, oldest first", async () => {
    const one = await open();
    one.store.create("later", "b", object("b", "1"));
    one.store.create("things", "a", object("a", "1"));
    one.store.update("later", "b", object("b", "2"));
    await one.close();
    const two = await open();
    const heard: string[] = [];
    two.store.watchAll((event: StoreEvent) => heard.push(`${event.type} ${event.current.key}`));
    two.store.announce();
    expect(heard).toEqual(["ADDED a", "ADDED b"]);
    await two.close();
  });

  test("a write is not flushed before it is on disk; one that was flushed survives without a close", async () => {
    const one = await open();
    await one.store.flushed();
    one.store.create("things", "a", object("a", "1"));
    expect(one.store.isFlushed).toBe(false);
    await one.store.flushed();
    expect(one.store.isFlushed).toBe(true);
    expect(await readFile(journal(), "utf8")).toContain('"value":"1"');
    await one.close();
  });

  test("a torn end is cut off, and writes go on after it", async () => {
    const one = await open();
    one.store.create("things", "a", object("a", "1"));
    await one.store.flushed();
    one.store.create("things", "b", object("b", "1"));
    await one.close();
    await truncate(journal(), (await stat(journal())).size - 3);
    const two = await open();
    expect(contents(two)).toEqual(["things a=1"]);
    two.store.create("things", "c", object("c", "1"));
    await two.close();
    const three = await open();
    expect(contents(three)).toEqual(["things a=1", "things c=1"]);
    await three.close();
  });

  test("a full disk fails what is not on it and all that follows, says so once, and a restart has the rest", async () => {
    const told: string[] = [];
    const one = await openDataDir(dir, { onFailure: ({ code, message }) => void told.push(`${code}: ${message}`) });
    one.store.create("things", "a", object("a", "1"));
    await one.store.flushed();
    await setDiskFull(dir, true);
    one.store.create("things", "b", object("b", "1"));
    await expect(one.store.flushed()).rejects.toMatchObject({ code: "StorageFailed" });
    await setDiskFull(dir, false);
    expect(() => one.store.create("things", "c", object("c", "1"))).toThrow("nothing more is stored");
    expect(told).toEqual([expect.stringMatching(/^StorageFailed: .*state\.journal cannot be written \(ENOSPC/)]);
    await one.close();
    const two = await open();
    expect(contents(two)).toEqual(["things a=1"]);
    two.store.create("things", "d", object("d", "1"));
    await two.close();
    const three = await open();
    expect(contents(three)).toEqual(["things a=1", "things d=1"]);
    await three.close();
  });

  test("the file is rewritten when it has grown, while writes go on, and loses nothing", async () => {
    const one = await open(20_000);
    let biggest = 0;
    for (let round = 0; round < 300; round += 1) {
      const key = `k${round % 5}`;
      const value = object(key, `${round}${"x".repeat(200)}`);
      if (one.store.get("things", key) === undefined) one.store.create("things", key, value);
      else if (round % 7 === 0) one.store.delete("things", key);
      else one.store.update("things", key, value);
      if (round % 3 === 0) await one.store.flushed();
      biggest = Math.max(biggest, (await stat(journal())).size);
    }
    const want = contents(one).sort();
    const revision = one.store.revision();
    await one.close();
    expect(biggest).toBeLessThan(60_000);
    expect(await readdir(dir)).toEqual(["state.journal"]);
    const two = await open(20_000);
    expect(contents(two).sort()).toEqual(want);
    expect(two.store.revision()).toBeGreaterThan(revision);
    await two.close();
  });

  test("a second server is refused, one after a crash is not", async () => {
    const one = await open();
    await expect(open()).rejects.toMatchObject({ code: "DataDirLocked" });
    await one.close();
    await writeFile(join(dir, "lock"), "999999999 12345");
    const two = await open();
    await two.close();
  });

  test("a directory that cannot be used is an error that says what to do", async () => {
    await mkdir(journal());
    await expect(open()).rejects.toMatchObject({
      code: "DataDirUnusable",
      message: expect.stringMatching(/cannot be read .*EISDIR.*give a directory/),
    });
    const file = join(dir, "file");
    await writeFile(file, "");
    const below = openDataDir(join(file, "below"), { onFailure: () => undefined });
    await expect(below).rejects.toMatchObject({ code: "DataDirUnusable" });
  });
});
