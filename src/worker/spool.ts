/**
 * Receipts that the pool has not taken yet: one JSON file each, synced, deleted when the pool has it or nobody wants it
 * any more. Bounded: beyond the bound the one with the nearest deadline, which is the least likely to count, goes.
 */
import { createHash } from "node:crypto";
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { ensureFolder, readIfThere, writeDurably } from "../pool/durable-file.ts";
import type { ReceiptRequest } from "../pool/wire.ts";

export interface SpooledReceipt {
  readonly request: ReceiptRequest;
  /** Nothing is sent after it. */
  readonly deadlineMs: number;
}

export interface Spool {
  list(): Promise<SpooledReceipt[]>;
  /** @throws InferiumError StateUnwritable */
  save(receipt: SpooledReceipt): Promise<void>;
  remove(request: ReceiptRequest): Promise<void>;
}

export interface SpoolOptions {
  readonly stateDir: string;
  readonly logger: Logger;
  readonly maxFiles?: number;
}

/** @throws InferiumError StateUnwritable */
export async function openSpool({ stateDir, logger, maxFiles = 256 }: SpoolOptions): Promise<Spool> {
  const folder = join(stateDir, "spool");
  await ensureFolder(folder);
  const pathOf = (request: ReceiptRequest) => join(folder, `${identify(request)}.json`);

  async function list(): Promise<SpooledReceipt[]> {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    const read = names.map(async (name) => parse(await readIfThere(join(folder, name)), name, logger));
    return (await Promise.all(read)).flat();
  }

  async function makeRoom(): Promise<void> {
    const kept = (await list()).sort((a, b) => a.deadlineMs - b.deadlineMs);
    for (const { request } of kept.slice(0, Math.max(0, kept.length - maxFiles + 1))) {
      logger.warn("spool is full, an undelivered receipt is dropped", { task: request.task });
      await removeFile(pathOf(request));
    }
  }

  return {
    list,
    async save(receipt) {
      await makeRoom();
      await writeDurably(pathOf(receipt.request), JSON.stringify(receipt));
    },
    remove: (request) => removeFile(pathOf(request)),
  };
}

function identify({ namespace, task, outcome }: ReceiptRequest): string {
  const { taskId, attempt } = outcome.kind === "Completed" ? outcome.receipt.message : outcome;
  return createHash("sha256").update(`${namespace}/${task} ${taskId} ${attempt}`).digest("hex");
}

/** Written whole or not at all by us, so anything else was put there by somebody: left alone and told. */
function parse(text: string | undefined, name: string, logger: Logger): SpooledReceipt[] {
  try {
    const value = JSON.parse(text ?? "null") as Partial<SpooledReceipt> | null;
    if (value?.request?.outcome !== undefined && typeof value.deadlineMs === "number") return [value as SpooledReceipt];
  } catch {
    logger.warn("spooled receipt is not JSON and is skipped", { file: name });
    return [];
  }
  if (text !== undefined) logger.warn("spooled receipt has another form and is skipped", { file: name });
  return [];
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return;
    throw new InferiumError("StateUnwritable", `${path} cannot be removed; check its folder.`, { cause });
  });
}
