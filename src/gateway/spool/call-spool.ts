/**
 * Windows that are not delivered, on disk, so that a gateway that is killed loses no more than its last moments: a file for each
 * window, to which calls are added. Written every few milliseconds, which is what a killed process may lose; synced every second,
 * and whole before the window is committed, which is what a power cut may lose. What cannot be written is kept and tried again,
 * and no new call is taken meanwhile. Effects: files of one folder, timers.
 */
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { FinishedCall } from "../meter/open-window.ts";
import { encodeCalls, encodeWindow, type SpooledWindow } from "./spool-record.ts";

export interface CallSpool {
  begin(windowId: string, window: SpooledWindow): void;
  append(windowId: string, call: FinishedCall): void;
  /** Resolves when all of the window is on the disk, or cannot be for now, or the disk does not answer. */
  seal(windowId: string): Promise<void>;
  /** Nobody needs it any more. */
  remove(windowId: string): Promise<void>;
  /** A file that is there already, of a window of a gateway before this one. */
  adopt(windowId: string, sizeBytes: number): void;
  bytes(): number;
  /** Why no call could be kept now; undefined where one can be. */
  problem(): "SpoolFull" | "SpoolFailed" | undefined;
  /** Writes what there is. */
  close(): Promise<void>;
}

export interface CallSpoolOptions {
  /** That is there. */
  readonly dir: string;
  readonly maxBytes: number;
  readonly logger: Logger;
  /** For tests of disks that fail. */
  readonly openFile?: typeof open;
}

export const spoolTimes = { writeMs: 5, syncMs: 1_000, againMs: 500, sealMs: 10_000 } as const;
export const spoolSuffix = ".calls";
const isDue = ({ records, calls }: SpoolFile) => records.length > 0 || calls.length > 0;
const aFile = (path: string): SpoolFile => ({
  ...{ path, handle: undefined, records: [], calls: [], writtenBytes: 0, isUnsynced: false },
});
/** Files at once: a disk gains nothing from more. */
const maxAtOnce = 4;

interface SpoolFile {
  readonly path: string;
  handle: FileHandle | undefined;
  /** Not written yet: records that are made already, then calls. */
  records: Buffer[];
  calls: FinishedCall[];
  writtenBytes: number;
  isUnsynced: boolean;
}

export function openCallSpool(options: CallSpoolOptions): CallSpool {
  const { dir, maxBytes, logger, openFile = open } = options;
  const files = new Map<string, SpoolFile>();
  let bytes = 0;
  let hasFailed = false;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const syncing = setInterval(() => void syncAll(), spoolTimes.syncMs);
  syncing.unref();

  function schedule(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void writeAll();
    }, ms);
  }

  /** One round at a time; what comes meanwhile is the next one's. */
  function writeAll(): Promise<void> {
    writing ??= writeRound().finally(() => {
      writing = undefined;
      if (files.values().some(isDue)) {
        schedule(hasFailed ? spoolTimes.againMs : spoolTimes.writeMs);
      }
    });
    return writing;
  }

  async function writeRound(): Promise<void> {
    const due = [...files.values()].filter(isDue);
    const failures = await inTurn(due, write);
    if (failures > 0) return;
    if (hasFailed) logger.info("calls can be kept again", { dir });
    hasFailed = false;
  }

  /** After a failure the same bytes go to the same place, over what may be half written there. */
  async function write(file: SpoolFile): Promise<void> {
    if (file.calls.length > 0) file.records.push(encodeCalls(file.calls));
    const [only] = file.records;
    const data = only !== undefined && file.records.length === 1 ? only : Buffer.concat(file.records);
    [file.records, file.calls] = [[], []];
    try {
      file.handle ??= await openFile(file.path, "w", 0o600);
      for (let done = 0; done < data.length; ) {
        const { bytesWritten } = await file.handle.write(data, done, data.length - done, file.writtenBytes + done);
        done += bytesWritten;
      }
      file.writtenBytes += data.length;
      bytes += data.length;
      file.isUnsynced = true;
    } catch (error) {
      file.records.unshift(data);
      throw error;
    }
  }

  async function sync(file: SpoolFile): Promise<void> {
    if (!file.isUnsynced || file.handle === undefined) return;
    file.isUnsynced = false;
    await file.handle.datasync().catch((error: unknown) => {
      file.isUnsynced = true;
      throw error;
    });
  }

  async function syncAll(): Promise<void> {
    await inTurn([...files.values()], sync);
  }

  /** @returns how many failed */
  async function inTurn(due: readonly SpoolFile[], step: (file: SpoolFile) => Promise<void>): Promise<number> {
    const queue = due.values();
    let failures = 0;
    const work = async () => {
      for (const file of queue) {
        await step(file).catch((error: unknown) => {
          failures += 1;
          fail(error);
        });
      }
    };
    await Promise.all(Array.from({ length: maxAtOnce }, work));
    return failures;
  }

  function fail(error: unknown): void {
    if (!hasFailed) logger.error("calls cannot be kept, and none is taken", { dir, error: describeError(error) });
    hasFailed = true;
    schedule(spoolTimes.againMs);
  }

  function begin(windowId: string, window: SpooledWindow): void {
    const path = join(dir, `${windowId}${spoolSuffix}`);
    files.set(windowId, { ...aFile(path), records: [encodeWindow(window)] });
    schedule(spoolTimes.writeMs);
  }

  async function seal(windowId: string): Promise<void> {
    const file = files.get(windowId);
    if (file === undefined) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, spoolTimes.sealMs);
    await Promise.race([sealFile(file), late.promise]);
    clearTimeout(timer);
  }

  async function sealFile(file: SpoolFile): Promise<void> {
    // The round that is on may have begun before the window's last call.
    await writing;
    if (isDue(file)) await writeAll();
    await inTurn([file], sync);
  }

  async function remove(windowId: string): Promise<void> {
    const file = files.get(windowId);
    if (file === undefined) return;
    files.delete(windowId);
    await writing;
    bytes -= file.writtenBytes;
    try {
      await file.handle?.close();
      await rm(file.path, { force: true });
    } catch (error) {
      // It comes again after a restart, and the pool knows it then.
      logger.warn("a delivered window stays on disk", { path: file.path, error: describeError(error) });
    }
  }

  return {
    begin,
    append(windowId, call) {
      files.get(windowId)?.calls.push(call);
      schedule(spoolTimes.writeMs);
    },
    seal,
    remove,
    adopt(windowId, sizeBytes) {
      const path = join(dir, `${windowId}${spoolSuffix}`);
      files.set(windowId, { ...aFile(path), writtenBytes: sizeBytes });
      bytes += sizeBytes;
    },
    bytes: () => bytes,
    problem: () => (hasFailed ? "SpoolFailed" : bytes >= maxBytes ? "SpoolFull" : undefined),
    async close() {
      await writing;
      await writeAll();
      await syncAll();
      clearInterval(syncing);
      clearTimeout(timer);
      await Promise.all([...files.values()].map(({ handle }) => handle?.close()));
    },
  };
}
