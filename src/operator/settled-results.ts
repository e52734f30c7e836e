/** What validators may ask about settled results, to check them and to judge disputes: batches, and what was run. Reads only. */
import { InferiumError } from "../base/errors.ts";
import type { BatchResponse, ItemResponse } from "../pool/wire.ts";
import type { BatchBook } from "./batch-book.ts";
import type { TaskFinder } from "./task-finder.ts";
import type { ItemBook } from "./validation-items.ts";

export interface ResultSources {
  readonly batches: Pick<BatchBook, "read">;
  readonly items: Pick<ItemBook, "buildOne">;
  readonly finder: TaskFinder;
}

export class SettledResults {
  readonly #sources: ResultSources;

  constructor(sources: ResultSources) {
    this.#sources = sources;
  }

  /** @throws InferiumError BatchUnknown */
  async readBatch(sequence: string): Promise<BatchResponse> {
    const record = await this.#sources.batches.read(Number(sequence));
    if (record) return { batch: record.body.data };
    throw new InferiumError("BatchUnknown", `Batch ${sequence} is not kept here, or not any more.`);
  }

  /** @throws InferiumError ReceiptGone */
  async readItem(taskId: string, attempt: number): Promise<ItemResponse> {
    return { item: await this.#sources.items.buildOne(this.#sources.finder.find(taskId), attempt) };
  }
}
