/** When models are approved, checked again and expired. */
import { describe, expect, test } from "vitest";
import type { ModelStatus } from "../../../../src/api/v1alpha1/generated/models.ts";
import { decideApproval } from "../../../../src/protocol/model/decide-approval.ts";
import { decideModelStep, holdsNow } from "../../../../src/protocol/model/decide-model-step.ts";
import type { ModelFindings } from "../../../../src/protocol/model/findings.ts";
import {
  checkingModel,
  expiredModel,
  foundModel,
  provableModel,
  unsettledModel,
} from "../../../../src/protocol/model/model-status.ts";

const panel = { members: 3, quorum: 2 };
const vote = (validator: string, findingsHash: string | undefined, reason = "Unavailable") =>
  findingsHash === undefined ? { validator, findingsHash, reason, message: "away" } : { validator, findingsHash };

describe("a quorum of equal findings", () => {
  test.each([
    ["nobody has answered", [], { step: "Open" }],
    ["one has", [vote("a", "0x1")], { step: "Open" }],
    ["two agree", [vote("a", "0x1"), vote("b", "0x1")], { step: "Agreed", findingsHash: "0x1" }],
    ["two differ", [vote("a", "0x1"), vote("b", "0x2")], { step: "Open" }],
    [
      "the third decides",
      [vote("a", "0x1"), vote("b", "0x2"), vote("c", "0x2")],
      { step: "Agreed", findingsHash: "0x2" },
    ],
    [
      "all differ",
      [vote("a", "0x1"), vote("b", "0x2"), vote("c", "0x3")],
      { step: "NoQuorum", reason: "FindingsDiffer" },
    ],
    ["one cannot tell", [vote("a", undefined), vote("b", "0x1")], { step: "Open" }],
    ["two cannot tell", [vote("a", undefined), vote("b", undefined)], { step: "NoQuorum", reason: "Unavailable" }],
  ])("%s", (_, votes, want) => {
    expect(decideApproval(votes, panel)).toMatchObject(want);
  });
});

describe("when it is looked at", () => {
  const approval = { generation: 1, atMs: 1_000, expiresMs: 11_000 };
  test.each([
    ["a new one at once", { isApproved: false, retryMs: 0 }, 5_000, { step: "Check" }],
    ["one that failed to settle later", { isApproved: false, retryMs: 6_000 }, 5_000, { step: "Rest", untilMs: 6_000 }],
    [
      "an approved one when a tenth is left",
      { isApproved: true, retryMs: 0, approval },
      5_000,
      { step: "Rest", untilMs: 10_000 },
    ],
    ["before it expires", { isApproved: true, retryMs: 0, approval }, 10_000, { step: "Check" }],
    ["one that nobody renewed expires", { isApproved: true, retryMs: 12_000, approval }, 11_000, { step: "Expire" }],
    ["and is tried again", { isApproved: false, retryMs: 0, approval }, 11_000, { step: "Check" }],
    [
      "one whose spec has changed at once",
      { isApproved: true, retryMs: 0, approval: { ...approval, generation: 0 } },
      2_000,
      { step: "Check" },
    ],
  ])("%s", (_, standing, nowMs, want) => {
    expect(decideModelStep(standing, 1, nowMs)).toEqual(want);
  });

  test("it holds for its generation and its time alone", () => {
    const standing = { isApproved: true, retryMs: 0, approval };
    expect(holdsNow(standing, 1, 10_999)).toBe(true);
    expect(holdsNow(standing, 1, 11_000)).toBe(false);
    expect(holdsNow(standing, 2, 5_000)).toBe(false);
    expect(holdsNow({ ...standing, isApproved: false }, 1, 5_000)).toBe(false);
  });
});

describe("the status", () => {
  const findings: ModelFindings = {
    ...{ bytes: 10, nodes: 1, parameters: 2, opsets: [{ domain: "ai.onnx", version: 13 }], operators: [] },
    ...{ inputs: [], outputs: [], integerOnly: true, weights: "None", problems: [] },
  };
  const approval = {
    ...{ generation: 2, at: "2026-01-01T00:00:00Z", expiresAt: "2026-01-02T00:00:00Z", findingsHash: "0x", quorum: 2 },
    validators: [],
  };
  const context = { generation: 2, now: "2026-01-01T00:00:00Z" };
  const empty: ModelStatus = { observedGeneration: -1 };
  const show = ({ conditions = [] }: ModelStatus) =>
    conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

  test("says that validators look, what they found, and that nobody looked again", () => {
    const checking = checkingModel(empty, { reason: "Checking", message: "m" }, context);
    expect(show(checking)).toEqual([
      ...["Scanned=Unknown Checking", "Approved=Unknown Checking", "Ready=False Checking"],
      ...["Reconciling=True Checking", "Stalled=False Checking"],
    ]);
    const found = foundModel(checking, { findings, approval }, context);
    expect(found).toMatchObject({ observedGeneration: 2, policies: ["Exact", "Tolerance"] });
    expect(show(found)).toContain("Approved=True QuorumApproved");
    // While it is checked again, what was found stands.
    expect(show(checkingModel(found, { reason: "Checking", message: "m" }, context))).toContain(
      "Approved=True QuorumApproved",
    );
    expect(show(expiredModel(found, context))).toContain("Approved=False ApprovalExpired");
  });

  test("names what speaks against the model, and that there is nothing to wait for", () => {
    const problems = [{ reason: "ExternalData", message: "m" }];
    const found = foundModel(empty, { findings: { ...findings, problems }, approval }, context);
    expect(show(found)).toEqual([
      ...["Scanned=True Scanned", "Approved=False ExternalData", "Ready=False ExternalData"],
      ...["Reconciling=False ExternalData", "Stalled=True ExternalData"],
    ]);
    expect(found.policies).toEqual([]);
  });

  test("says once that the chain has a circuit of it, and then that it can be proven", () => {
    const found = foundModel(empty, { findings, approval }, context);
    const digest = `sha256:${"a".repeat(64)}`;
    const circuits = [{ rows: 1, r1csDigest: digest, verifyingKeyDigest: digest, development: true }];
    const provable = provableModel(found, circuits);
    expect(provable).toMatchObject({ circuits, policies: ["Exact", "Tolerance", "ZeroKnowledge"] });
    expect(provableModel(provable, circuits)).toBe(provable);
    // At the start of a term the chain's events have not been read yet.
    expect(provableModel(provable, [])).toBe(provable);
    expect(foundModel(provable, { findings, approval }, context).policies).toContain("ZeroKnowledge");
    const hostile = { ...findings, problems: [{ reason: "ExternalData", message: "m" }] };
    expect(foundModel(provable, { findings: hostile, approval }, context).policies).toEqual([]);
  });

  test("keeps an approval that still holds where a later check comes to nothing", () => {
    const retry = { reason: "Unavailable", message: "m", retryAt: "2026-01-01T00:01:00Z", attempts: 1 };
    const approved = foundModel(empty, { findings, approval }, context);
    expect(show(unsettledModel(approved, retry, context))).toContain("Approved=True QuorumApproved");
    expect(show(unsettledModel(approved, retry, { ...context, now: approval.expiresAt }))).toContain(
      "Approved=Unknown Unavailable",
    );
    expect(show(unsettledModel(approved, retry, { ...context, generation: 3 }))).toContain(
      "Approved=Unknown Unavailable",
    );
  });
});
