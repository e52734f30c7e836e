/**
 * The shards of a batch as tasks: names that say what they are for, so that whoever makes them again after a restart makes no
 * second ones, and a spec that asks for the batch's own work on a part of its items. Pure.
 */
import type { InferenceTaskSpec } from "../../api/v1alpha1/generated/inferencetasks.ts";
import { labels } from "../../api/v1alpha1/labels.ts";
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { formatIfr } from "../amount.ts";
import { rewardOf } from "../task.ts";
import { type ItemRange, planShards, splitReward } from "./plan-shards.ts";

export interface ShardRef {
  readonly index: number;
  readonly isDuplicate: boolean;
}

/** A shard's part of the batch. */
export interface Shard extends ShardRef {
  readonly range: ItemRange;
  readonly rewardWei: bigint;
}

/** Cut into shards that are tasks of their own; itself given to no worker and settled in no batch of the chain. */
export function isSharded(spec: Pick<InferenceTaskSpec, "parallelism">): boolean {
  return (spec.parallelism ?? 1) > 1;
}

/** Undefined for a server without CEL, which let through what admission will refuse. */
export function listShards(spec: InferenceTaskSpec): Omit<Shard, "isDuplicate">[] {
  const { parallelism = 1, input } = spec;
  if (!input.items) return [];
  const ranges = planShards(input.items, parallelism);
  const rewards = splitReward(rewardOf(spec), ranges);
  return ranges.map((range, index) => ({ index, range, rewardWei: rewards[index] ?? 0n }));
}

type Named = Pick<InferenceTask, "metadata">;

/** Of the batch's uid too: a batch of the same name that was made later has shards of its own. */
export function nameShard({ metadata }: Named, { index, isDuplicate }: ShardRef): string {
  return `${metadata.name}-${(metadata.uid ?? "").slice(0, 8)}-${index}${isDuplicate ? "-d" : ""}`;
}

export interface BatchOfShard {
  readonly uid: string;
  readonly name: string;
}

/** The batch that a task says it is a shard of, and which one. */
export function readShard({ metadata }: Named): (ShardRef & { readonly batch: BatchOfShard }) | undefined {
  const batch = metadata.ownerReferences?.find(({ kind, controller }) => kind === "InferenceTask" && controller);
  const place = metadata.labels?.[labels.shard];
  if (!batch || place === undefined) return undefined;
  const ref = { index: Number(place), isDuplicate: metadata.labels?.[labels.duplicate] === "true" };
  if (nameShard({ metadata: batch }, ref) !== metadata.name) return undefined;
  return { ...ref, batch: { uid: batch.uid, name: batch.name } };
}

/** A task as it is created: fields with a default may be left out. */
export type ShardManifest = Pick<InferenceTask, "apiVersion" | "kind" | "metadata"> & {
  readonly spec: Partial<InferenceTaskSpec>;
};

export interface ShardParts {
  readonly shard: Shard;
  /** The shard's own items, where the batch holds its input itself; else it is the batch's source and a range. */
  readonly inline?: InferenceTaskSpec["input"]["inline"] | undefined;
  /** To the batch's deadline. */
  readonly deadlineSeconds?: number | undefined;
}

export function buildShard(batch: InferenceTask, { shard, inline, deadlineSeconds }: ShardParts): ShardManifest {
  const { metadata, spec } = batch;
  const owner = { apiVersion, kind: "InferenceTask", name: metadata.name, uid: metadata.uid ?? "", controller: true };
  return {
    apiVersion,
    kind: "InferenceTask",
    metadata: {
      name: nameShard(batch, shard),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: {
        [labels.batch]: metadata.name,
        [labels.shard]: String(shard.index),
        ...(shard.isDuplicate ? { [labels.duplicate]: "true" } : {}),
      },
      ownerReferences: [owner],
    },
    spec: {
      ...termsOf(spec),
      input: inline ? { inline } : rangeOf(spec.input, shard.range),
      // Whoever gave a wrong result may be the only one who could take it again, and the first copy still runs.
      ...(shard.isDuplicate ? { retries: 0 } : {}),
      ...(spec.reward === undefined ? {} : { reward: formatIfr(shard.rewardWei) }),
      ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
    },
  };
}

/** What the shards have from the batch as it stands. */
function termsOf(spec: InferenceTaskSpec): Partial<InferenceTaskSpec> {
  const { type, tier, model, resources, nodeSelector, verification, requester, orderRef } = spec;
  const { priority, queue, timeoutSeconds, retries } = spec;
  const given = Object.entries({ tier, resources, nodeSelector, requester, orderRef });
  return {
    ...{ type, model, verification, priority, queue, timeoutSeconds, retries },
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
  };
}

function rangeOf(input: InferenceTaskSpec["input"], range: ItemRange): InferenceTaskSpec["input"] {
  const { tensors } = input.items ?? {};
  return { ...input, items: { ...range, ...(tensors ? { tensors } : {}) } };
}

/** Whether the task asks for what its batch wants of this shard, but for tensors of its own: somebody else may have made it. */
export function isShardAsked(batch: InferenceTask, { spec }: Pick<InferenceTask, "spec">, shard: Shard): boolean {
  const wanted = buildShard(batch, { shard }).spec;
  const { inline: _, ...source } = spec.input;
  const same = (a: unknown, b: unknown) => JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b));
  const terms = ["type", "tier", "model", "verification", "reward", "requester", "orderRef"] as const;
  const { uri, configMapRef } = batch.spec.input;
  const isInline = uri === undefined && configMapRef === undefined;
  return same(source, isInline ? {} : wanted.input) && terms.every((field) => same(spec[field], wanted[field]));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Record<string, unknown>).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sortKeys(one)]));
}
