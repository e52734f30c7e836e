/**
 * The claims that workers have signed in their heartbeats: each one's word that it has the work and will answer in time. In
 * memory alone, since every heartbeat says it again. A worker that gives no word loses no stake, and no heartbeat names its
 * work, so that the work goes to somebody else.
 */
import type { RunningAttempt } from "../pool/wire.ts";
import type { SignedClaim } from "../pool/work-assignment.ts";
import { claimTypes, type ProtocolDomain, recoverSigner } from "../protocol/typed-data.ts";

export class ClaimWords {
  readonly #domain: ProtocolDomain;
  /** By account, then by task and attempt: as of its last heartbeat. */
  readonly #words = new Map<string, ReadonlyMap<string, SignedClaim>>();

  constructor(domain: ProtocolDomain) {
    this.#domain = domain;
  }

  /** @param account checksummed; @param running what it runs, each with the deadline of its assignment */
  hear(account: string, running: readonly (RunningAttempt & { readonly assignedUntilMs: number })[]): void {
    const words = new Map<string, SignedClaim>();
    for (const { taskId, attempt, claim, assignedUntilMs } of running) {
      if (claim === undefined || claim.deadlineMs !== assignedUntilMs) continue;
      const message = { taskId, attempt, worker: account, deadlineMs: claim.deadlineMs };
      const { signature } = claim;
      if (recoverSigner(this.#domain, claimTypes, message, signature) !== account) continue;
      words.set(keyOf(taskId, attempt), { message, signature });
    }
    if (words.size > 0) this.#words.set(account, words);
    else this.#words.delete(account);
  }

  find(account: string, taskId: string, attempt: number): SignedClaim | undefined {
    return this.#words.get(account)?.get(keyOf(taskId, attempt));
  }
}

function keyOf(taskId: string, attempt: number): string {
  return `${taskId}/${attempt}`;
}
