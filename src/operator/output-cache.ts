/**
 * Outputs that came with recent receipts, for the validators that compare values; what is not here any more is read from
 * the task. Bounded by number and by bytes.
 */
import type { InlineTensors } from "../pool/work-assignment.ts";

const maxOutputs = 1_024;
const maxBytes = 32 * 2 ** 20;

interface Kept {
  readonly output: InlineTensors;
  readonly bytes: number;
}

export class OutputCache {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** @param id uid/attempt */
  keep(id: string, output: InlineTensors): void {
    this.drop(id);
    const bytes = JSON.stringify(output).length;
    this.#kept.set(id, { output, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxOutputs && this.#bytes <= maxBytes) return;
      this.drop(oldest);
    }
  }

  get(id: string): InlineTensors | undefined {
    return this.#kept.get(id)?.output;
  }

  drop(id: string): void {
    const known = this.#kept.get(id);
    if (!known) return;
    this.#kept.delete(id);
    this.#bytes -= known.bytes;
  }
}
