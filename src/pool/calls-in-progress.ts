/**
 * The calls that a pool server answers now. Each is aborted when nobody waits for its answer any more, or when the server closes;
 * a set, since of a signal that a thousand waiting calls listen to each would cost as much as all of them.
 */
import type { ServerResponse } from "node:http";
import { PoolRefusal } from "./refusal.ts";

export class CallsInProgress {
  readonly #calls = new Set<AbortController>();
  #closing: PoolRefusal | undefined;

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** From the request until the response is over. */
  follow(response: ServerResponse): AbortController {
    const call = new AbortController();
    if (this.#closing) call.abort(this.#closing);
    this.#calls.add(call);
    response.on("close", () => {
      this.#calls.delete(call);
      if (!response.writableFinished)
        call.abort(new PoolRefusal(499, "ClientGone", "The caller closed the connection."));
    });
    return call;
  }

  /** @param reason why what waits is ended */
  close(reason: PoolRefusal): void {
    this.#closing = reason;
    for (const call of [...this.#calls]) call.abort(reason);
  }
}
