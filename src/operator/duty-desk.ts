/**
 * Duties of validators: each asks for its next one and waits here until there is one. Where duties come from is told by
 * sources, asked in their order; a duty is handed out again after a while until it is answered.
 */
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Duty } from "../pool/duty.ts";

/** The next unanswered duty of a validator, or undefined. Handing out is noted by the source. */
export type DutySource = (validator: string) => Promise<Duty | undefined> | Duty | undefined;

interface WaitingValidator {
  readonly validator: string;
  readonly resolve: (duty: Duty | undefined) => void;
}

export class DutyDesk {
  readonly #sources: DutySource[] = [];
  readonly #waiting = new Set<WaitingValidator>();
  readonly #logger: Logger;
  #kicked = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  addSource(source: DutySource): void {
    this.#sources.push(source);
  }

  async claim(validator: string, waitMs: number, signal: AbortSignal): Promise<Duty | undefined> {
    const now = await this.#find(validator);
    if (now || signal.aborted || waitMs === 0) return signal.aborted ? undefined : now;
    return new Promise((resolve) => {
      const end = (duty: Duty | undefined) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(waiting);
        resolve(duty);
      };
      const giveUp = () => end(undefined);
      const waiting: WaitingValidator = { validator, resolve: end };
      const timer = setTimeout(giveUp, waitMs);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(waiting);
      // What came up while we looked would otherwise wait for the next news.
      this.kick();
    });
  }

  /** There may be new duties. */
  kick(): void {
    if (this.#kicked || this.#waiting.size === 0) return;
    this.#kicked = true;
    setImmediate(() => {
      this.#kicked = false;
      for (const waiting of [...this.#waiting]) void this.#offer(waiting);
    });
  }

  close(): void {
    for (const waiting of [...this.#waiting]) waiting.resolve(undefined);
  }

  async #offer(waiting: WaitingValidator): Promise<void> {
    const duty = await this.#find(waiting.validator);
    if (duty) waiting.resolve(duty);
  }

  async #find(validator: string): Promise<Duty | undefined> {
    for (const source of this.#sources) {
      try {
        const duty = await source(validator);
        if (duty) return duty;
      } catch (error) {
        // One kind of duty that cannot be made now must not keep the others from a validator.
        this.#logger.warn("a duty could not be made", { validator, error: describeError(error) });
      }
    }
    return undefined;
  }
}
