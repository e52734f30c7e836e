import { describe, expect, test } from "vitest";
import type { ValidationObject } from "../../../src/operator/kinds.ts";
import type { TaskEntry } from "../../../src/operator/ledger.ts";
import { type CandidateSources, gatherCandidate, readPayouts } from "../../../src/operator/settle-candidate.ts";
import { computeTaskId } from "../../../src/protocol/typed-data.ts";

const uid = "uid-1";
const voters = ["0xA1", "0xB2", "0xC3"].map((prefix) => prefix.padEnd(42, "0"));
const digest = `0x${"11".repeat(32)}`;

const validation = {
  metadata: { namespace: "demo", name: "val", uid: "val-1" },
  spec: { quorum: 2, receipts: [{ uid, attempt: 1, digest, task: "job" }] },
  status: {
    validators: voters.map((address) => ({
      ...{ address, state: "Revealed", votes: ["Accept"], outputDigests: [digest] },
      ...{ votesRoot: digest, signature: "0x" },
    })),
  },
} as unknown as ValidationObject;

const entry = {
  ...{ key: "demo/job", uid, task: { spec: {}, metadata: {} } },
  status: {
    conditions: [{ type: "Validated", status: "True" }],
    verdict: { result: "Accepted" },
    receipt: { message: { taskId: computeTaskId(uid), attempt: 1, worker: voters[0] }, signature: "0x", digest },
  },
} as unknown as TaskEntry;

async function gather(members: readonly string[]) {
  const dropped: string[] = [];
  const sources = {
    index: { covering: () => validation },
    dropValidation: async ({ metadata }: ValidationObject) => void dropped.push(metadata.name),
  } as unknown as CandidateSources;
  const candidate = await gatherCandidate(sources, entry, {
    members: new Set(members.map((address) => address.toLowerCase())),
    payoutOf: async () => "0xpay",
  });
  return { voters: candidate?.task.votes.map(({ validator }) => validator), dropped };
}

describe("the votes that a task is settled with", () => {
  test("are all that accepted, while all sit in the set", async () => {
    expect(await gather(voters)).toEqual({ voters, dropped: [] });
  });

  test("are not those of who was removed since: no validator would certify them", async () => {
    expect(await gather(voters.slice(0, 2))).toEqual({ voters: voters.slice(0, 2), dropped: [] });
  });

  test("where too few are left, the panel is given up and another one hears the task", async () => {
    expect(await gather(voters.slice(0, 1))).toEqual({ voters: undefined, dropped: ["val"] });
  });
});

test("where nodes' rewards go is asked once a batch: for its workers together, for others when they come up", async () => {
  const asked: (readonly string[])[] = [];
  const client = {
    payouts: async (nodes: readonly string[]) => {
      asked.push(nodes);
      return nodes.map((node) => `${node}-pay`);
    },
    node: async (address: string) => ({ payout: `${address}-pay`, asked: asked.push([address]) }),
  };
  const link = { client } as unknown as Parameters<typeof readPayouts>[0];
  const entries = ["a", "b", "a"].map((worker) => ({ status: { receipt: { message: { worker } } } }));
  const payoutOf = await readPayouts(link, entries as unknown as TaskEntry[]);
  const payouts = await Promise.all(["a", "b", "c", "a", "c"].map((address) => payoutOf(address)));
  expect(payouts).toEqual(["a-pay", "b-pay", "c-pay", "a-pay", "c-pay"]);
  expect(asked).toEqual([["a", "b"], ["c"]]);
});
