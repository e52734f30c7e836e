import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLogger } from "../../../../src/base/log.ts";
import { type CallSpool, openCallSpool } from "../../../../src/gateway/spool/call-spool.ts";
import { lockFolder } from "../../../../src/gateway/spool/lock-folder.ts";
import { recoverSpool } from "../../../../src/gateway/spool/recover-spool.ts";
import { readWindow } from "../../../../src/gateway/spool/spool-record.ts";
import { aCall, anOpenWindow, aWindow } from "./a-call.ts";

let dir: string;
let spools: CallSpool[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "spool-"));
  spools = [];
});
afterEach(async () => {
  await Promise.all(spools.map((spool) => spool.close()));
  rmSync(dir, { recursive: true });
});

const { windowId } = anOpenWindow([]);
const path = () => join(dir, `${windowId}.calls`);
const callsOnDisk = () => readWindow(readFileSync(path()))?.calls.length;
const wait = { timeout: 30_000, interval: 5 };

function openSpool(options: { maxBytes?: number; openFile?: typeof open } = {}): CallSpool {
  const spool = openCallSpool({ dir, maxBytes: 2 ** 20, logger: silentLogger, ...options });
  spools.push(spool);
  return spool;
}

/** A disk that fails until it is mended, in the middle of a write if that is asked for. */
function aDisk() {
  const disk = { isBroken: true, partial: false };
  const openFile = (async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    const write: (...args: [Buffer, number, number, number]) => Promise<unknown> = handle.write.bind(handle);
    const failing = async (bytes: Buffer, offset: number, length: number, position: number) => {
      if (!disk.isBroken) return write(bytes, offset, length, position);
      if (disk.partial) await write(bytes, offset, Math.floor(length / 2), position);
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    };
    return Object.assign(handle, { write: failing });
  }) as typeof open;
  return { disk, openFile };
}

test("calls are on disk within moments, without anybody's asking", async () => {
  const spool = openSpool();
  spool.begin(windowId, aWindow);
  spool.append(windowId, aCall(1));
  await vi.waitFor(() => expect(callsOnDisk()).toBe(1), wait);
  spool.append(windowId, aCall(2));
  await vi.waitFor(() => expect(callsOnDisk()).toBe(2), wait);
  await spool.seal(windowId);
  expect(spool.bytes()).toBe(readFileSync(path()).length);
});

test("a sealed window is whole", async () => {
  const spool = openSpool();
  spool.begin(windowId, aWindow);
  for (let n = 0; n < 50; n++) spool.append(windowId, aCall(n));
  await spool.seal(windowId);
  expect(callsOnDisk()).toBe(50);
});

test("a window that was delivered leaves nothing behind", async () => {
  const spool = openSpool();
  spool.begin(windowId, aWindow);
  spool.append(windowId, aCall(1));
  await spool.seal(windowId);
  await spool.remove(windowId);
  expect([readdirSync(dir), spool.bytes()]).toEqual([[], 0]);
});

test("says that it is full, and no longer when windows have gone", async () => {
  const spool = openSpool({ maxBytes: 300 });
  expect(spool.problem()).toBeUndefined();
  spool.begin(windowId, aWindow);
  spool.append(windowId, aCall(1));
  await spool.seal(windowId);
  expect(spool.problem()).toBe("SpoolFull");
  await spool.remove(windowId);
  expect(spool.problem()).toBeUndefined();
});

test.each([false, true])(
  "a full disk is said, and what could not be written is when there is room (half written: %s)",
  async (partial) => {
    const { disk, openFile } = aDisk();
    disk.partial = partial;
    const spool = openSpool({ openFile });
    spool.begin(windowId, aWindow);
    spool.append(windowId, aCall(1));
    await vi.waitFor(() => expect(spool.problem()).toBe("SpoolFailed"), wait);
    spool.append(windowId, aCall(2));
    disk.isBroken = false;
    await vi.waitFor(() => expect(spool.problem()).toBeUndefined(), wait);
    await spool.seal(windowId);
    const read = readWindow(readFileSync(path()));
    expect(read?.calls.map(({ inputDigest }) => inputDigest)).toEqual([1, 2].map((n) => aCall(n).inputDigest));
    expect(read?.tornBytes).toBe(0);
  },
);

test("a gateway takes up what one before it left, without what was half written", async () => {
  const before = openSpool();
  before.begin(windowId, aWindow);
  for (const n of [1, 2, 3]) {
    before.append(windowId, aCall(n));
    await before.seal(windowId);
  }
  await before.close();
  truncateSync(path(), readFileSync(path()).length - 5);
  writeFileSync(join(dir, "0xempty.calls"), "");
  writeFileSync(join(dir, "0xodd.calls"), "what is no record at all");
  const spool = openSpool();
  const windows = await recoverSpool({ dir, spool, logger: silentLogger });
  expect(windows.map((window) => window.close().window)).toEqual([anOpenWindow([aCall(1), aCall(2)]).close().window]);
  expect(spool.bytes()).toBe(readFileSync(path()).length);
  await spool.remove(windowId);
  // What cannot be read is kept for whoever looks, and not read again.
  expect(readdirSync(dir)).toEqual(["0xodd.calls.unreadable"]);
});

test("a folder has one gateway at a time, and another one when its gateway is gone", async () => {
  const lock = await lockFolder(dir);
  await expect(lockFolder(dir)).rejects.toMatchObject({ code: "SpoolInUse", disposition: "fatal" });
  await lock.release();
  // As a killed gateway leaves it: a socket that nobody listens on.
  writeFileSync(join(dir, "lock"), "");
  const next = await lockFolder(dir);
  await next.release();
});

test("a folder whose path is too long for its lock is refused with what to do", async () => {
  await expect(lockFolder(join(dir, "x".repeat(100)))).rejects.toThrow(/at most 107 fit. Choose a shorter one/);
});
