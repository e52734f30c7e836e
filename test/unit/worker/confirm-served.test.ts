import { describe, expect, test } from "vitest";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import type { WorkAssignment } from "../../../src/pool/wire.ts";
import { hashWindow } from "../../../src/protocol/call-window.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { confirmServed } from "../../../src/worker/confirm-served.ts";
import { aCallWindow, type ServedWindow, tensorOf } from "../../support/a-call-window.ts";
import { anExecution, domain } from "./worker-fixture.ts";

const exact: WorkAssignment["verification"] = { policy: "Exact" };

/** @param own what the host's model gives; what the callers got where left out */
function confirm(served: ServedWindow, verification = exact, own = served.output) {
  const outputs = readInline(own);
  const execution = { ...anExecution(), outputs, outputDigest: digestTensors(outputs) };
  const input = { inline: served.input, calls: served.answered };
  return confirmServed(domain, { input, verification }, { calls: served, own: execution });
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
    expect(confirm(wrong, { policy: "None" }, aCallWindow().output).codeDigest).toBe(
      hashWindow(domain, wrong.statement),
    );
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
