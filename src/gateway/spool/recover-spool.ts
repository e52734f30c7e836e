/**
 * The windows that a gateway left behind when it was killed, or could not deliver when it stopped. Each is closed as it stands and
 * goes to the operator like any other, which knows it by its id: one that it has already is the same window to it. Effects:
 * reads the folder, and removes files without a call in them.
 */
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createOpenWindow, type OpenWindow } from "../meter/open-window.ts";
import { type CallSpool, spoolSuffix } from "./call-spool.ts";
import { type ReadWindow, readWindow } from "./spool-record.ts";

export interface RecoverSpool {
  readonly dir: string;
  readonly spool: CallSpool;
  readonly logger: Logger;
}

/** @throws whatever reading the folder throws */
export async function recoverSpool({ dir, spool, logger }: RecoverSpool): Promise<OpenWindow[]> {
  const windows: OpenWindow[] = [];
  for (const name of await readdir(dir)) {
    if (!name.endsWith(spoolSuffix)) continue;
    const path = join(dir, name);
    const bytes = await readFile(path);
    const read = tryRead(bytes, path, logger);
    if (read === undefined || read.calls.length === 0) {
      if (read === undefined && bytes.length > 0) await rename(path, `${path}.unreadable`);
      else await rm(path, { force: true });
      continue;
    }
    const window = rebuild(read);
    const fields = { window: window.windowId, agent: window.owner.agentId, calls: window.count() };
    logger.info("a window of an earlier gateway is taken up", { ...fields, tornBytes: read.tornBytes });
    spool.adopt(window.windowId, bytes.length);
    windows.push(window);
  }
  return windows;
}

function tryRead(bytes: Buffer, path: string, logger: Logger): ReadWindow | undefined {
  try {
    const read = readWindow(bytes);
    if (read !== undefined || bytes.length === 0) return read;
    logger.error("a file of the spool holds no window, and is set aside", { path });
  } catch (error) {
    logger.error("a file of the spool cannot be read, and is set aside", { path, error: describeError(error) });
  }
  return undefined;
}

function rebuild({ window, calls }: ReadWindow): OpenWindow {
  const { owner, nonce, receiptKey } = window;
  const rebuilt = createOpenWindow(owner, { nonce, receiptKey, openedAtMs: 0 });
  for (const call of calls) rebuilt.add(call);
  return rebuilt;
}
