import { describe, expect, test } from "vitest";
import type { KubeClient } from "../../../../src/kube/client.ts";
import type { TaskObject } from "../../../../src/operator/kinds.ts";
import type { TaskEntry } from "../../../../src/operator/ledger.ts";
import { findCopies } from "../../../../src/operator/shards/copies.ts";
import { joinShards } from "../../../../src/operator/shards/join-shards.ts";
import { buildShard, listShards } from "../../../../src/protocol/shards/shard-task.ts";

type Verification = TaskObject["spec"]["verification"];
const exact: Verification = { policy: "Exact", validators: 3, quorum: 2 };
const within = (absolute: number): Verification => ({
  ...exact,
  policy: "Tolerance",
  tolerance: { absolute, relative: 0 },
});
const floats = (...data: number[]) => ({ dtype: "float32" as const, shape: [data.length], data });
const condition = { type: "Validated", status: "True", reason: "QuorumAccepted", message: "", lastTransitionTime: "" };

interface Copy {
  readonly isDuplicate?: boolean;
  readonly gives: readonly number[];
  readonly change?: Partial<TaskObject["spec"]>;
}

/** The result of a batch of two items in two shards, whose second shard has these copies, all of them accepted. */
async function join(verification: Verification, ...copies: Copy[]) {
  const batch = {
    metadata: { name: "b", namespace: "ns", uid: "0badcafe" },
    spec: {
      ...{ type: "Inference", parallelism: 2, verification, model: { uri: "u", digest: "d" } },
      input: { inline: { x: floats(1, 2) }, items: { from: 0, count: 2 } },
    },
  } as unknown as TaskObject;
  const objects = new Map<string, TaskObject>();
  const shards = listShards(batch.spec);
  const add = (index: number, { isDuplicate = false, gives, change = {} }: Copy) => {
    const inline = { x: floats(index + 1) } as never;
    const { metadata, spec } = buildShard(batch, { shard: { ...shards[index]!, isDuplicate }, inline });
    const output = { digest: "", inline: { y: floats(...gives) } };
    const made = { metadata: { ...metadata, uid: metadata.name }, spec: { ...spec, ...change } };
    const status = { phase: "Settling", conditions: [condition], output, verdict: { result: "Accepted" } };
    objects.set(`ns/${metadata.name}`, { ...made, status } as unknown as TaskObject);
  };
  add(0, { gives: [10] });
  for (const copy of copies) add(1, copy);
  const get = (key: string) => {
    const task = objects.get(key);
    return task && ({ key, uid: task.metadata.uid, task, status: task.status } as unknown as TaskEntry);
  };
  const client = { get: async ({ name }: { name: string }) => objects.get(`ns/${name}`) };
  const entry = { key: "ns/b", uid: "0badcafe", task: batch, status: {} } as unknown as TaskEntry;
  return joinShards(client as unknown as KubeClient<TaskObject>, entry, findCopies({ get } as never, entry));
}

const second = { isDuplicate: true };
const code = (value: string) => expect.objectContaining({ code: value });

describe("the outputs of a batch's shards", () => {
  test("come together in order, with the sum of their items", async () => {
    const { output, verdict } = await join(exact, { gives: [20] });
    expect(output).toMatchObject({ items: 2, inline: { y: { dtype: "float32", shape: [2], data: [10, 20] } } });
    expect(verdict).toEqual({ result: "Accepted", policy: "Exact" });
  });

  test("are those of the first copy where both agree, bit by bit or within twice the tolerance", async () => {
    const same = await join(exact, { gives: [20] }, { ...second, gives: [20] });
    expect(same.output.inline?.y?.data).toEqual([10, 20]);
    const near = await join(within(1), { gives: [20] }, { ...second, gives: [22] });
    expect(near.output.inline?.y?.data).toEqual([10, 20]);
  });

  test("are none where two accepted copies differ", async () => {
    const differ = join(exact, { gives: [20] }, { ...second, gives: [21] });
    await expect(differ).rejects.toEqual(code("ShardsDisagree"));
    await expect(join(within(1), { gives: [20] }, { ...second, gives: [23] })).rejects.toEqual(code("ShardsDisagree"));
  });

  test("are none where a shard's task is not the one that the batch asks for", async () => {
    const otherInput = { input: { inline: { x: floats(7) } } } as Copy["change"];
    await expect(join(exact, { gives: [20], change: otherInput! })).rejects.toEqual(code("ShardChanged"));
    await expect(join(exact, { gives: [20], change: { reward: "9" } })).rejects.toEqual(code("NameTaken"));
    await expect(join(exact)).rejects.toEqual(code("ShardChanged"));
  });
});
