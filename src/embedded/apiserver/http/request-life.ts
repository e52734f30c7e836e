/**
 * How long a request is of interest to anybody: until its client has the answer or is gone, or the server closes. Most
 * handlers never ask, so the signal is made when somebody first does.
 */
export class RequestLife {
  #controller: AbortController | undefined;
  #ended: string | undefined;

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#ended !== undefined) this.#controller.abort(new Error(this.#ended));
    return this.#controller.signal;
  }

  /** @param why what whoever waits for something is told */
  end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#controller?.abort(new Error(why));
  }
}
