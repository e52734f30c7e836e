/** A worker that speaks the real pool API with a real key and only pretends to compute: each of its slots claims, waits, signs. */
import type { PoolClient } from "../../src/pool/client.ts";
import type { WorkAssignment } from "../../src/pool/work-assignment.ts";
import { connect, double, type MemberCluster, signReceipt } from "../integration/operator/scripted-members.ts";

export interface SimulatedWorkers {
  readonly name: string;
  readonly slots: number;
  /** How long it computes. */
  readonly runMs: (assignment: WorkAssignment) => number;
  /** Inferences in a task; one where left out. */
  readonly items?: number;
  /** Its session is open. */
  readonly onOpen?: () => void;
  /** It asks for work only then. */
  readonly mayClaim?: Promise<void>;
  readonly onStart?: (assignment: WorkAssignment) => void;
  readonly onDone?: (assignment: WorkAssignment, status: string) => void;
}

export function simulateWorker(cluster: MemberCluster, url: string, options: SimulatedWorkers): () => Promise<void> {
  const stopping = new AbortController();
  const client = connect(cluster, { url }, options.name);
  if (options.onOpen) void client.facts(stopping.signal).then(options.onOpen, () => undefined);
  const slot = () => runSlot(cluster, client, { ...options, signal: stopping.signal });
  const slots = Promise.all(Array.from({ length: options.slots }, slot));
  return async () => {
    stopping.abort(new Error("the benchmark is over"));
    await slots;
    await client.close();
  };
}

interface Slot extends SimulatedWorkers {
  readonly signal: AbortSignal;
}

async function runSlot(cluster: MemberCluster, client: PoolClient, slot: Slot): Promise<void> {
  const { signal } = slot;
  await slot.mayClaim;
  while (!signal.aborted) {
    try {
      const { assignments } = await client.claim({ slots: 1, models: [], waitMs: 20_000 }, signal);
      for (const assignment of assignments) await runOne(cluster, client, { slot, assignment });
    } catch (error) {
      if (signal.aborted) return;
      console.error(slot.name, error);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function runOne(
  cluster: MemberCluster,
  client: PoolClient,
  { slot, assignment }: { readonly slot: Slot; readonly assignment: WorkAssignment },
): Promise<void> {
  slot.onStart?.(assignment);
  const ms = slot.runMs(assignment);
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  const output = double(assignment.input);
  const receipt = await signReceipt(cluster.domain, cluster.member(slot.name), { assignment, output });
  const { namespace, task } = assignment;
  const outcome = { kind: "Completed" as const, receipt, output, items: slot.items ?? 1 };
  const { status } = await client.receipt({ namespace, task, outcome }, slot.signal);
  slot.onDone?.(assignment, status);
}
