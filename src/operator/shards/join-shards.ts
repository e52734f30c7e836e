/** What came of a batch: the outputs of its shards in the order of the items, and what is not proven of them. Effects: reads tasks. */
import { isDeepStrictEqual } from "node:util";
import { InferiumError } from "../../base/errors.ts";
import type { KubeClient } from "../../kube/client.ts";
import { readInline, writeInline } from "../../pool/inline-tensors.ts";
import { poolLimits } from "../../pool/wire.ts";
import type { InlineTensors } from "../../pool/work-assignment.ts";
import type { TaskOutput, TaskVerdict } from "../../protocol/lifecycle.ts";
import { joinOutputs, type OutputPart } from "../../protocol/shards/cut-items.ts";
import { copyStateOf } from "../../protocol/shards/decide-copy.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { type ComparePolicy, compareOutputs } from "../../protocol/verdict/compare.ts";
import type { TaskObject } from "../kinds.ts";
import type { TaskEntry } from "../ledger.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import { checkShard, type ShardCopies } from "./copies.ts";
import { type CutInput, createCutter } from "./make-shards.ts";

const readsAtOnce = 8;
/** As the definition of the kind allows. */
const maxNotProven = 8;

export interface BatchResult {
  readonly output: TaskOutput;
  readonly verdict: TaskVerdict;
}

/** @param copies of all shards, each with one that won @throws InferiumError ShardsDisagree, ShardChanged, NameTaken, InvalidItems */
export async function joinShards(
  tasks: KubeClient<TaskObject>,
  batch: TaskEntry,
  copies: readonly ShardCopies[],
): Promise<BatchResult> {
  const cut = await createCutter({ tasks }, batch.task);
  const parts = await mapConcurrently(copies, readsAtOnce, (shard) =>
    readShardOutput(tasks, batch.task, { shard, cut }),
  );
  const outputs = joinOutputs(parts);
  const bytes = [...outputs.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const inline = bytes <= poolLimits.maxOutputBytes ? { inline: writeInline(outputs) as TaskOutput["inline"] } : {};
  const items = parts.reduce((sum, { count }) => sum + count, 0);
  return { output: { digest: digestTensors(outputs), items, ...inline } as TaskOutput, verdict: sumUp(batch, copies) };
}

interface ShardReading {
  readonly shard: ShardCopies;
  readonly cut: CutInput;
}

async function readShardOutput(
  tasks: KubeClient<TaskObject>,
  batch: TaskObject,
  { shard, cut }: ShardReading,
): Promise<OutputPart> {
  const won = wonCopies(shard);
  const results = await Promise.all(
    won.map(async ({ task, uid }) => {
      const { namespace, name } = task.metadata;
      const whole = await tasks.get({ namespace, name });
      const inline = whole.metadata.uid === uid ? whole.status?.output?.inline : undefined;
      if (inline === undefined) throw changed(name, "its outputs are not there any more");
      checkShard(batch, whole, { ...shard.shard, isDuplicate: uid === shard.duplicate?.uid });
      const asked = cut(shard.shard);
      // A task of the right name that somebody else made a moment before the operator did.
      if (
        asked !== undefined &&
        !isDeepStrictEqual(readInline(whole.spec.input.inline as InlineTensors), readInline(asked))
      )
        throw changed(name, "its input is not the batch's");
      return readInline(inline as InlineTensors);
    }),
  );
  const [outputs, other] = results;
  if (outputs === undefined) throw changed(String(shard.shard.index), "it has no result");
  if (other) checkAgree(batch, shard, [outputs, other]);
  return { count: shard.shard.range.count, outputs };
}

export function wonCopies({ first, duplicate }: ShardCopies): TaskEntry[] {
  return [first, duplicate].filter((copy) => copy !== undefined).filter(({ status }) => copyStateOf(status) === "Won");
}

/** Each lies within the tolerance of what its panel computed, so that two may be twice that apart. @throws InferiumError ShardsDisagree */
function checkAgree({ spec }: TaskObject, { shard }: ShardCopies, [a, b]: readonly [NamedTensors, NamedTensors]): void {
  const { policy, tolerance } = spec.verification;
  const bounds: ComparePolicy =
    policy === "Tolerance"
      ? { policy, absolute: 2 * (tolerance?.absolute ?? 0), relative: 2 * (tolerance?.relative ?? 0) }
      : { policy: "Exact" };
  const { equal, firstMismatch } = compareOutputs(a, b, bounds);
  if (equal) return;
  const where = firstMismatch ? ` in "${firstMismatch.tensor}" (${firstMismatch.reason})` : "";
  const message = `Both copies of shard ${shard.index} were accepted and differ${where}; one of the two panels was wrong: dispute the wrong one.`;
  throw new InferiumError("ShardsDisagree", message);
}

function changed(what: string, why: string): InferiumError {
  return new InferiumError("ShardChanged", `Shard ${what} cannot be used: ${why}. Create the batch again.`);
}

function sumUp({ task }: TaskEntry, copies: readonly ShardCopies[]): TaskVerdict {
  const verdicts = copies
    .flatMap((shard) => wonCopies(shard).slice(0, 1))
    .flatMap(({ status }) => status.verdict ?? []);
  const notProven = [...new Set(verdicts.flatMap((verdict) => verdict.notProven ?? []))].slice(0, maxNotProven);
  return {
    result: verdicts.some(({ result }) => result === "Unverified") ? "Unverified" : "Accepted",
    policy: task.spec.verification.policy,
    ...(notProven.length > 0 ? { notProven } : {}),
  };
}
