/**
 * Writes the lines of a watch. Over a connection that is this answer's alone they go out framed as they are kept; before
 * that, or to a client that knows no chunks, through the answer, which frames them itself. Effects: the response only.
 */
import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { EventLine } from "./event-line.ts";

export class EventWriter {
  readonly #sink: Writable;
  readonly #isFramed: boolean;

  /** @param response whose headers have been sent */
  constructor(response: ServerResponse) {
    const { socket } = response;
    this.#isFramed = response.chunkedEncoding === true && socket !== null;
    this.#sink = this.#isFramed && socket !== null ? socket : response;
  }

  /** Whether the client reads more slowly than lines come. */
  get isFull(): boolean {
    return this.#sink.writableNeedDrain;
  }

  write(lines: readonly EventLine[]): void {
    const [first] = lines;
    if (first === undefined || this.#sink.destroyed) return;
    const bytes = lines.map(({ framed, line }) => (this.#isFramed ? framed : line));
    this.#sink.write(bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : Buffer.concat(bytes));
  }

  /** @returns what stops it */
  onDrain(listener: () => void): () => void {
    this.#sink.on("drain", listener);
    return () => this.#sink.off("drain", listener);
  }
}
