/**
 * snarkjs in a child process, one request at a time: with a time limit, a limit on its resident memory, and cancellation by
 * killing it, after which the next request starts another. Effects: processes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { InferiumError } from "../../base/errors.ts";
import { readResidentBytes } from "../../base/resident-memory.ts";
import { type Groth16Proof, parseProof, type VerifyingKey } from "./groth16.ts";
import type {
  BeaconFiles,
  CeremonyBackend,
  ContributionFiles,
  KeyFiles,
  ProofCheck,
  ProvingBackend,
  ProvingFiles,
  SetupFiles,
  StepFiles,
} from "./proving-backend.ts";
import type { SnarkjsAnswer, SnarkjsRequest, SnarkjsResult } from "./snarkjs-messages.ts";

export interface SnarkjsBackendOptions {
  /** For one request. */
  readonly timeoutMs: number;
  /** Resident memory of the process; checked twice a second where /proc tells. */
  readonly maxMemoryBytes: number;
  /** Requests that may wait; further ones are refused. */
  readonly maxWaiting: number;
}

export const defaultSnarkjsOptions: SnarkjsBackendOptions = {
  timeoutMs: 120_000,
  maxMemoryBytes: 4 * 2 ** 30,
  maxWaiting: 64,
};

const processUrl = new URL(`./snarkjs-process.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
const memoryCheckMs = 500;

export function createSnarkjsBackend(options: Partial<SnarkjsBackendOptions> = {}): ProvingBackend & CeremonyBackend {
  return new SnarkjsBackend({ ...defaultSnarkjsOptions, ...options });
}

class SnarkjsBackend implements ProvingBackend, CeremonyBackend {
  readonly name = "snarkjs";
  readonly #options: SnarkjsBackendOptions;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: SnarkjsBackendOptions) {
    this.#options = options;
  }

  async setUp(files: SetupFiles, signal?: AbortSignal): Promise<VerifyingKey> {
    return (await this.#ask({ kind: "setUp", ...files }, signal)) as VerifyingKey;
  }

  async startKey(files: KeyFiles, signal?: AbortSignal): Promise<void> {
    await this.#ask({ kind: "startKey", ...files }, signal);
  }

  async contribute(files: ContributionFiles, signal?: AbortSignal): Promise<string> {
    return (await this.#ask({ kind: "contribute", ...files }, signal)) as string;
  }

  async applyBeacon(files: BeaconFiles, signal?: AbortSignal): Promise<string> {
    return (await this.#ask({ kind: "applyBeacon", ...files }, signal)) as string;
  }

  async checkSteps(files: StepFiles, signal?: AbortSignal): Promise<readonly string[]> {
    return (await this.#ask({ kind: "checkSteps", ...files }, signal)) as readonly string[];
  }

  async exportKey(zkeyPath: string, signal?: AbortSignal): Promise<VerifyingKey> {
    return (await this.#ask({ kind: "exportKey", zkeyPath }, signal)) as VerifyingKey;
  }

  async prove(files: ProvingFiles, signal?: AbortSignal): Promise<{ proof: Groth16Proof; signals: bigint[] }> {
    const answer = await this.#ask({ kind: "prove", ...files }, signal);
    const { proof, signals } = answer as { proof: unknown; signals: string[] };
    return { proof: parseProof(proof), signals: signals.map(BigInt) };
  }

  async verify({ key, signals, proof }: ProofCheck, signal?: AbortSignal): Promise<boolean> {
    const request = { kind: "verify", key, signals: signals.map(String), proof } as const;
    return (await this.#ask(request, signal)) === true;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    // Nobody waits for an idle process, except here.
    child.ref();
    const ended = new Promise((resolve) => child.once("exit", resolve));
    this.#kill();
    await ended;
  }

  /** One after another: two proofs at once would take twice as long and twice the memory each. */
  #ask(request: SnarkjsRequest, signal: AbortSignal | undefined): Promise<SnarkjsResult> {
    if (this.#waiting >= this.#options.maxWaiting) {
      const message = `${this.#waiting} requests wait for the prover, which takes no more. Try again later.`;
      return Promise.reject(new InferiumError("ProverBusy", message, { disposition: "retry" }));
    }
    this.#waiting += 1;
    const answer = this.#last
      .then(() => this.#run(request, signal))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #run(request: SnarkjsRequest, signal: AbortSignal | undefined): Promise<SnarkjsResult> {
    if (signal?.aborted) throw cancelled(request);
    this.#child ??= this.#start();
    const child = this.#child;
    const guard = new AbortController();
    try {
      return await Promise.race([
        exchange(child, request),
        this.#failAfterTimeout(request, guard.signal),
        this.#failOverMemory(child, request, guard.signal),
        failOnAbort(request, signal, guard.signal),
      ]);
    } catch (error) {
      // Whatever went wrong, the process may still be at it.
      if (!(error instanceof InferiumError && error.code === "ProverFailed")) this.#kill();
      throw error;
    } finally {
      guard.abort();
    }
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [fileURLToPath(processUrl)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    // Kept while idle, but nobody has to wait for it.
    child.unref();
    child.channel?.unref();
    return child;
  }

  #kill(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #failAfterTimeout({ kind }: SnarkjsRequest, done: AbortSignal): Promise<never> {
    const { timeoutMs } = this.#options;
    return new Promise((_, reject) => {
      const error = new InferiumError("ProverTimeout", `snarkjs did not finish "${kind}" within ${timeoutMs} ms.`, {
        disposition: "retry",
      });
      const timer = setTimeout(() => reject(error), timeoutMs);
      done.addEventListener("abort", () => clearTimeout(timer));
    });
  }

  #failOverMemory(child: ChildProcess, { kind }: SnarkjsRequest, done: AbortSignal): Promise<never> {
    const { maxMemoryBytes } = this.#options;
    return new Promise((_, reject) => {
      const timer = setInterval(async () => {
        const bytes = await readResidentBytes(child.pid);
        if (bytes <= maxMemoryBytes) return;
        const message = `snarkjs took ${bytes} bytes for "${kind}", allowed are ${maxMemoryBytes}. Allow more or use a smaller circuit.`;
        reject(new InferiumError("ProverOutOfMemory", message));
      }, memoryCheckMs);
      done.addEventListener("abort", () => clearInterval(timer));
    });
  }
}

function exchange(child: ChildProcess, request: SnarkjsRequest): Promise<SnarkjsResult> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      child.channel?.unref();
    };
    const fail = (code: string, what: string) => {
      finish();
      reject(new InferiumError(code, `snarkjs failed at "${request.kind}": ${what}.`, { disposition: "retry" }));
    };
    const onMessage = (message: unknown) => {
      const answer = message as SnarkjsAnswer;
      if ("error" in answer) return fail("ProverFailed", answer.error);
      finish();
      resolve(answer.result);
    };
    const onExit = (code: number | null) => fail("ProverEnded", `its process ended with ${code ?? "a signal"}`);
    const onError = (error: Error) => fail("ProverEnded", error.message);
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    child.channel?.ref();
    child.send(request, (error) => {
      if (error) onError(error);
    });
  });
}

function failOnAbort(request: SnarkjsRequest, signal: AbortSignal | undefined, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(cancelled(request)), { once: true, signal: done });
  });
}

function cancelled({ kind }: SnarkjsRequest): InferiumError {
  return new InferiumError("ProverCancelled", `"${kind}" was cancelled.`);
}
