import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import type { InferenceTaskSpec } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import { buildStatisticsModel } from "../../../src/protocol/metrics/statistics-graph.ts";
import { anyModel, computeModelsRoot, type Order } from "../../../src/protocol/order.ts";
import { type AdmissionInput, checkTask, minimumTierOf, type OrderFinding } from "../../../src/protocol/task.ts";

const requester = new Wallet(`0x${"11".repeat(32)}`).address;
const model = `sha256:${"ab".repeat(32)}`;
const other = `sha256:${"cd".repeat(32)}`;
const ifr = 10n ** 18n;

const order: Order = {
  message: {
    requester,
    pool: "main",
    maxPerTaskWei: 2n * ifr,
    maxTotalWei: 5n * ifr,
    modelsRoot: anyModel,
    expiresAt: 1_000,
    nonce: 1n,
  },
  signature: "0x",
};
const found = (change: Partial<Order["message"]> = {}, signer: string | undefined = requester): OrderFinding => ({
  state: "Found",
  order: { ...order, message: { ...order.message, ...change } },
  signer,
});

type Change = Omit<Partial<AdmissionInput>, "spec"> & { spec?: Partial<InferenceTaskSpec> };

function anInput(change: Change = {}): AdmissionInput {
  const spec = {
    type: "Inference",
    model: { uri: "https://m", digest: model, format: "onnx" },
    verification: { policy: "Exact", validators: 3, quorum: 2 },
    reward: "1",
    requester,
    ...change.spec,
  } as InferenceTaskSpec;
  return {
    rules: { pool: "main", allowUnverified: false },
    order: found(),
    reservedWei: 0n,
    nowMs: 500,
    ...change,
    spec,
  };
}

describe("checkTask", () => {
  const statistics = buildStatisticsModel({
    task: "Classification",
    predictions: "int64",
    labels: "uint8",
    scores: false,
  });
  const aTraining = {
    ...{ program: "p", hyperparameters: {}, steps: 1, checkpointEvery: 1, seed: 1, sampledSlices: 1 },
    checkpointStore: "https://s.test",
  };
  const approvedOnly = { isApprovalRequired: true, policies: undefined };
  const cases: { name: string; change: Change; want: string | undefined }[] = [
    {
      name: "a model that nobody approved is refused where approval is required",
      change: { model: approvedOnly },
      want: "ModelNotApproved",
    },
    {
      name: "the graph of a leaderboard's sums needs no approval",
      change: { model: approvedOnly, spec: { type: "Leaderboard", model: statistics } },
      want: undefined,
    },
    {
      name: "the weights that a training begins with need no approval",
      change: { model: approvedOnly, spec: { type: "Training", mode: "Pod", training: aTraining } },
      want: undefined,
    },
    {
      name: "a model that is not fit for Exact is refused under it",
      change: { model: { isApprovalRequired: false, policies: ["Tolerance"] } },
      want: "PolicyNotFit",
    },
    {
      name: "a model that is not fit for Exact is taken under Tolerance",
      change: {
        model: { isApprovalRequired: false, policies: ["Tolerance"] },
        spec: {
          verification: { policy: "Tolerance", validators: 3, quorum: 2, tolerance: { absolute: 0.1, relative: 0 } },
        },
      },
      want: undefined,
    },
    { name: "a task with a good order is admitted", change: {}, want: undefined },
    {
      name: "policy None is refused where the pool does not allow it",
      change: { spec: { verification: { policy: "None", validators: 1, quorum: 1 } } },
      want: "PolicyNotAllowed",
    },
    {
      name: "policy None is admitted where the pool allows it",
      change: {
        spec: { verification: { policy: "None", validators: 1, quorum: 1 } },
        rules: { pool: "main", allowUnverified: true },
      },
      want: undefined,
    },
    {
      name: "a minority may not decide",
      change: { spec: { verification: { policy: "Exact", validators: 4, quorum: 2 } } },
      want: "InvalidQuorum",
    },
    {
      name: "more votes than validators can never come",
      change: { spec: { verification: { policy: "Exact", validators: 3, quorum: 4 } } },
      want: "InvalidQuorum",
    },
    {
      name: "Tolerance needs a tolerance",
      change: { spec: { verification: { policy: "Tolerance", validators: 3, quorum: 2 } } },
      want: "ToleranceMissing",
    },
    {
      name: "an order that is not there is named",
      change: { order: { state: "Missing", detail: "there is none" } },
      want: "OrderMissing",
    },
    {
      name: "an order that cannot be read is named",
      change: { order: { state: "Invalid", detail: "no JSON" } },
      want: "OrderInvalid",
    },
    {
      name: "somebody else's order does not pay",
      change: { spec: { requester: new Wallet(`0x${"22".repeat(32)}`).address } },
      want: "RequesterMismatch",
    },
    { name: "an order signed by another is none", change: { order: found({}, "0x1") }, want: "OrderNotSigned" },
    { name: "an order is for one pool", change: { order: found({ pool: "other" }) }, want: "OrderForOtherPool" },
    { name: "an order ends at the second of its expiry", change: { nowMs: 1_000_000 }, want: "OrderExpired" },
    { name: "an order is good until then", change: { nowMs: 999_999 }, want: undefined },
    {
      name: "a model that the order does not list is refused",
      change: { order: found({ modelsRoot: computeModelsRoot([other]) }) },
      want: "ModelNotInOrder",
    },
    {
      name: "a reward above the most per task is refused",
      change: { spec: { reward: "2.000000000000000001" } },
      want: "RewardAboveOrder",
    },
    { name: "a reward of just the most is admitted", change: { spec: { reward: "2" } }, want: undefined },
    {
      name: "what others have reserved counts against the total",
      change: { reservedWei: 4n * ifr + 1n },
      want: "OrderExhausted",
    },
    { name: "the last of the total may be spent", change: { reservedWei: 4n * ifr }, want: undefined },
  ];
  for (const { name, change, want } of cases) {
    test(name, () => expect(checkTask(anInput(change))?.reason).toBe(want));
  }

  test("a task that pays nothing needs no order", () => {
    const { order: _, ...input } = anInput();
    const { reward, ...spec } = input.spec;
    expect(reward).toBe("1");
    expect(checkTask({ ...input, spec })).toBeUndefined();
    expect(checkTask({ ...input, spec: { ...spec, reward: "1" } })?.reason).toBe("OrderMissing");
  });

  test("a refusal that may pass says so, and one that cannot does not", () => {
    expect(checkTask(anInput({ order: { state: "Missing", detail: "" } }))?.retry).toBe(true);
    expect(checkTask(anInput({ spec: { verification: { policy: "None", validators: 1, quorum: 1 } } }))?.retry).toBe(
      false,
    );
  });
});

describe("minimumTierOf", () => {
  const cases = [
    { type: "Training", want: "High" },
    { type: "Inference", want: "Mid" },
    { type: "Agent", want: "Mid" },
    { type: "Leaderboard", want: "Low" },
    { type: "Benchmark", want: "Low" },
  ] as const;
  for (const { type, want } of cases)
    test(`${type} needs at least ${want}`, () => expect(minimumTierOf({ type })).toBe(want));
  test("an explicit tier counts, also a lower one", () =>
    expect(minimumTierOf({ type: "Training", tier: "Low" })).toBe("Low"));
});
