import { describe, expect, test } from "vitest";
import type { InferenceTaskSpec } from "../../../../src/api/v1alpha1/generated/inferencetasks.ts";
import type { InferenceTask } from "../../../../src/api/v1alpha1/types.ts";
import {
  buildShard,
  isShardAsked,
  listShards,
  nameShard,
  readShard,
  type Shard,
} from "../../../../src/protocol/shards/shard-task.ts";

const spec = {
  ...{ type: "Inference", mode: "Pooled", tier: "Low", queue: "q", priority: 3, timeoutSeconds: 60, retries: 2 },
  model: { uri: "https://m.test/m.onnx", digest: `sha256:${"ab".repeat(32)}`, format: "onnx" },
  input: {
    uri: "https://m.test/i.safetensors",
    digest: `sha256:${"cd".repeat(32)}`,
    items: { from: 10, count: 7, tensors: ["x"] },
  },
  verification: { policy: "Exact", validators: 3, quorum: 2 },
  ...{ parallelism: 2, reward: "1", requester: `0x${"1".repeat(40)}`, orderRef: { name: "order" }, suspend: false },
  ...{ dependsOn: ["other"], ttlSecondsAfterFinished: 5 },
} as unknown as InferenceTaskSpec;
const batch = { metadata: { name: "b", namespace: "ns", uid: "0badcafe-1" }, spec } as unknown as InferenceTask;
const shards = listShards(spec).map((shard): Shard => ({ ...shard, isDuplicate: false }));
const [first, last] = shards as [Shard, Shard];
const made = (shard: Shard) => buildShard(batch, { shard }) as InferenceTask;

describe("a shard's task", () => {
  test("asks for the batch's work on its own items, for its part of the reward", () => {
    expect(made(last)).toMatchObject({
      metadata: { name: "b-0badcafe-1", labels: { "inferium.io/batch": "b", "inferium.io/shard": "1" } },
      spec: {
        ...{ tier: "Low", queue: "q", priority: 3, timeoutSeconds: 60, retries: 2, reward: "0.571428571428571429" },
        input: { uri: spec.input.uri, digest: spec.input.digest, items: { from: 13, count: 4, tensors: ["x"] } },
      },
    });
    for (const field of ["parallelism", "suspend", "dependsOn", "ttlSecondsAfterFinished"])
      expect(made(last).spec).not.toHaveProperty(field);
  });

  test("says which it is, and a duplicate that it is one, with no second try", () => {
    expect(readShard(made(last))).toEqual({ index: 1, isDuplicate: false, batch: { uid: "0badcafe-1", name: "b" } });
    const duplicate = made({ ...last, isDuplicate: true });
    expect(duplicate.metadata.name).toBe(`${nameShard(batch, last)}-d`);
    expect(readShard(duplicate)).toMatchObject({ index: 1, isDuplicate: true });
    expect(duplicate.spec.retries).toBe(0);
  });

  test("is none with another name, or without the batch as its controller", () => {
    const task = made(first);
    const other = { ...task, metadata: { ...task.metadata, name: "mine" } };
    expect(readShard(other)).toBeUndefined();
    expect(readShard({ metadata: { ...task.metadata, ownerReferences: [] } })).toBeUndefined();
  });

  test("is what the batch asks for in whatever order the server has its fields", () => {
    const reversed = Object.fromEntries(Object.entries(made(first).spec).reverse()) as unknown as InferenceTaskSpec;
    expect(isShardAsked(batch, { spec: reversed }, first)).toBe(true);
  });

  const changes: { name: string; change: object }[] = [
    { name: "more pay", change: { reward: "1" } },
    { name: "other items", change: { input: made(last).spec.input } },
    { name: "another source", change: { input: { inline: {} } } },
    { name: "a smaller panel", change: { verification: { policy: "Exact", validators: 1, quorum: 1 } } },
    { name: "another model", change: { model: { ...spec.model, digest: `sha256:${"00".repeat(32)}` } } },
    { name: "a lower tier than asked", change: { tier: undefined } },
  ];
  for (const { name, change } of changes) {
    test(`is not the batch's with ${name}`, () => {
      const { spec: own } = made(first);
      expect(isShardAsked(batch, { spec: { ...own, ...change } as InferenceTaskSpec }, first)).toBe(false);
    });
  }
});
