/**
 * The spool of a gateway that starts: locked, and with the windows that the gateway before it left. They are brought when the
 * directory of agents has been read, so that their callers' budgets hold them back, or after a few seconds. Effects: those of
 * the parts.
 */
import { mkdir } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { AgentDirectory } from "../../pool/agents.ts";
import type { OpenWindow } from "../meter/open-window.ts";
import { type CallSpool, openCallSpool } from "./call-spool.ts";
import { lockFolder } from "./lock-folder.ts";
import { recoverSpool } from "./recover-spool.ts";

export interface SpoolConfig {
  readonly dir: string;
  readonly maxBytes: number;
}

export interface OpenedSpool {
  readonly spool: CallSpool;
  readonly left: readonly OpenWindow[];
  close(): Promise<void>;
}

/** @throws InferiumError SpoolInUse, SpoolUnusable */
export async function openSpool({ dir, maxBytes }: SpoolConfig, logger: Logger): Promise<OpenedSpool> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(dir);
    const spool = openCallSpool({ dir, maxBytes, logger });
    const left = await recoverSpool({ dir, spool, logger });
    return {
      spool,
      left,
      async close() {
        await spool.close();
        await lock.release();
      },
    };
  } catch (cause) {
    if (cause instanceof InferiumError) throw cause;
    const message = `The spool's folder ${dir} cannot be used: ${String(cause)}. Give a writable folder of a local disk.`;
    throw new InferiumError("SpoolUnusable", message, { disposition: "fatal", cause });
  }
}

const directoryMs = 5_000;

/** Resolves when the directory names an agent, when the time is up, or with the signal. */
export function untilRead(directory: AgentDirectory, signal: AbortSignal): Promise<void> {
  if (directory.current().length > 0) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, directoryMs);
    const unsubscribe = directory.onChange(settle);
    signal.addEventListener("abort", settle, { once: true });
    if (signal.aborted) settle();
  });
}
