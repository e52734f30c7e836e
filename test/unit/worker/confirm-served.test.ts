import { describe, expect, test } from "vitest";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { hashWindow } from "../../../src/protocol/call-window.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { confirmServed } from "../../../src/worker/confirm-served.ts";
import { aCallWindow, type ServedWindow, tensorOf } from "../../support/a-call-window.ts";
import { anExecution, domain } from "./worker-fixture.ts";

const model = { uri: "file:///model", digest: `sha256:${"ab".repeat(32)}` };
const none: WorkAssignment["verification"] = { policy: "None" };
const exact: WorkAssignment["verification"] = { policy: "Exact" };

/** @param own what the host's model gives; what the callers got where left out */
function confirm(served: ServedWindow, verification = exact, own = served.output) {
  const outputs = readInline(own);
  const execution = { ...anExecution(), outputs, outputDigest: digestTensors(outputs) };
  const input = { inline: served.input, calls: served.answered };
  const terms = { input, verification, model };
  return confirmServed(domain, terms, { calls: served, own: verification.policy === "None" ? undefined : execution });
}

const wrong = aCallWindow({ answer: (input) => tensorOf("y", (input.get("x")?.data[0] ?? 0) + 1) });
const refused = expect.objectContaining({ code: "NotAsServed" });

describe("a host that is to sign for a window of calls", () => {
  test("signs for what its callers got, at the time of the calls, with the window in the place of code", () => {
    const served = aCallWindow();
    expect(confirm(served)).toMatchObject({
      execution: { outputDigest: digestTensors(readInline(served.output)) },
      codeDigest: hashWindow(domain, served.statement),
      startedAtMs: served.statement.firstAtMs,
      endedAtMs: served.statement.lastAtMs,
    });
  });

  test("does not sign for what its model does not give", () => {
    expect(() => confirm(wrong, exact, aCallWindow().output)).toThrow(refused);
  });

  test("signs for what it cannot check where the policy asks for nothing", () => {
    const { codeDigest, execution } = confirm(wrong, none);
    expect(codeDigest).toBe(hashWindow(domain, wrong.statement));
    expect(execution).toMatchObject({ runtime: "not run again", items: 3, modelDigest: model.digest });
  });

  test("signs for bodies by their digests, and only where the policy asks for nothing", () => {
    const bodies = aCallWindow({ content: "Digests" });
    expect(confirm(bodies, none).execution.outputDigest).toBe(digestTensors(readInline(bodies.output)));
    const terms = { input: { inline: bodies.input, calls: bodies.answered }, verification: exact, model };
    expect(() => confirmServed(domain, terms, { calls: bodies, own: undefined })).toThrow(refused);
  });

  test("does not sign for bodies that are others than their receipts say", () => {
    const bodies = aCallWindow({ content: "Digests" });
    const others = aCallWindow({ content: "Digests", calls: [9, 9, 9, 9, 9] });
    for (const hostile of [
      { ...bodies, output: others.output },
      { ...bodies, input: others.input },
      { ...bodies, output: aCallWindow().output },
      { ...bodies, output: {} },
      { ...bodies, content: "Tensors" as const },
    ])
      expect(() => confirm(hostile, none)).toThrow(refused);
  });

  test("does not sign where the pool says that callers got other than their receipts do", () => {
    expect(() => confirm({ ...aCallWindow(), output: wrong.output })).toThrow(refused);
    expect(() => confirm({ ...aCallWindow(), input: aCallWindow({ calls: [9, 9, 9, 9, 9] }).input })).toThrow(refused);
  });

  test("does not sign for calls that do not stand in the window", () => {
    const served = aCallWindow();
    expect(() => confirm({ ...served, opened: served.opened.slice(1) })).toThrow(refused);
    expect(() => confirm({ ...served, statement: { ...served.statement, callerId: "bob" } })).toThrow(refused);
  });
});
