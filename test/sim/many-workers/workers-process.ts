/**
 * Many workers in a process of their own, so that what the operator's process holds is the operator's alone: each has a key, a
 * session and connections of its own and only pretends to compute. Forked with what they need as the first message; `press`
 * has each ask for work three times at once; `tell` answers with what they were refused; ends on `close`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { computeBackoffMs } from "../../../src/base/backoff.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createPoolClient, type PoolClient } from "../../../src/pool/client.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import type { ProtocolDomain } from "../../../src/protocol/typed-data.ts";
import type { FixtureMember } from "../../integration/operator/operator-fixture.ts";
import { double, signReceipt } from "../../integration/operator/scripted-members.ts";

export interface ManyWorkers {
  readonly url: string;
  readonly poolCa: string;
  readonly domain: ProtocolDomain;
  readonly members: readonly Omit<FixtureMember, "signer">[];
}

export interface Told {
  /** Workers that have a session. */
  readonly open: number;
  /** How often what was answered, by status and code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Refusals that said "later" without saying when. */
  readonly withoutRetryAfter: number;
  readonly receipts: Readonly<Record<string, number>>;
}

const stopping = new AbortController();
const pressed = Promise.withResolvers<void>();
const refusals: Record<string, number> = {};
const receipts: Record<string, number> = {};
let open = 0;
let withoutRetryAfter = 0;
let running: Promise<unknown> | undefined;

process.on("message", (message: ManyWorkers | "press" | "tell" | "close") => {
  if (message === "press") pressed.resolve();
  else if (message === "tell") process.send?.({ open, refusals, withoutRetryAfter, receipts } satisfies Told);
  else if (message === "close") {
    stopping.abort(new Error("the simulation is over"));
    pressed.resolve();
    void Promise.resolve(running).finally(() => process.disconnect());
  } else running = Promise.all(message.members.map((member) => runOne(message, member)));
});

async function runOne({ url, poolCa, domain }: ManyWorkers, one: ManyWorkers["members"][number]): Promise<void> {
  const member = { ...one, signer: createSigner(one.privateKey) };
  // Refusals are counted here, so that the client does not hide them by trying again.
  const client = createPoolClient({
    ...{ url, caPem: poolCa, signer: member.signer, role: "Worker", logger: silentLogger, maxAttempts: 1 },
  });
  const signal = stopping.signal;
  if ((await persist(() => client.facts(signal))) === undefined) return client.close();
  open++;
  const work = () => claimUntilStopped({ client, domain, member });
  await Promise.all([work(), pressed.promise.then(() => Promise.all([work(), work()]))]);
  await client.close();
}

interface Working {
  readonly client: PoolClient;
  readonly domain: ProtocolDomain;
  readonly member: FixtureMember;
}

async function claimUntilStopped(working: Working): Promise<void> {
  const { client } = working;
  while (!stopping.signal.aborted) {
    const claim = { slots: 1, models: [], waitMs: 20_000 };
    const answer = await persist(() => client.claim(claim, stopping.signal));
    for (const assignment of answer?.assignments ?? []) await compute(working, assignment);
  }
}

async function compute({ client, domain, member }: Working, assignment: WorkAssignment): Promise<void> {
  const output = double(assignment.input);
  const receipt = await signReceipt(domain, member, { assignment, output });
  const { namespace, task } = assignment;
  const outcome = { kind: "Completed" as const, receipt, output, items: 1 };
  const answer = await persist(() => client.receipt({ namespace, task, outcome }, stopping.signal));
  if (answer) receipts[answer.status] = (receipts[answer.status] ?? 0) + 1;
}

/** Until it is answered, each time after the pause that the refusal names. Undefined once all is over. */
async function persist<T>(call: () => Promise<T>): Promise<T | undefined> {
  for (let attempt = 1; !stopping.signal.aborted; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (stopping.signal.aborted) return undefined;
      const ms = note(error) ?? computeBackoffMs(attempt, { initialMs: 1_000, maxMs: 20_000 });
      await sleep(ms * (1 + Math.random()), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** @returns the milliseconds that the refusal says to wait, if it says so */
function note(error: unknown): number | undefined {
  if (!(error instanceof InferiumError)) throw error;
  const { code, evidence } = error;
  const name = evidence.status === undefined ? code : `${String(evidence.status)} ${code}`;
  refusals[name] = (refusals[name] ?? 0) + 1;
  if (typeof evidence.retryAfterMs === "number") return evidence.retryAfterMs;
  if (evidence.status === 429 || evidence.status === 503) withoutRetryAfter++;
  return undefined;
}
