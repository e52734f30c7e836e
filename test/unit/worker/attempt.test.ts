import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { receiptTypes, recoverSigner } from "../../../src/protocol/typed-data.ts";
import { type AttemptContext, type Execute, runAttempt } from "../../../src/worker/attempt.ts";
import { aFolder, anAssignment, anExecution, domain, openRecord, signer, taskId } from "./worker-fixture.ts";

const never = new AbortController().signal;

async function aContext(execute: Execute, stateDir?: string): Promise<AttemptContext> {
  const signed = await openRecord(stateDir ?? (await aFolder()));
  const clock = systemClock;
  return { execute, signer, domain, imageDigest: taskId("e"), codeDigest: taskId("f"), signed, clock };
}

/** Ends when it is told to. */
const waiting: Execute = (_request, signal) =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("an attempt at a task", () => {
  test("ends in a receipt that says what ran, signed by the worker", async () => {
    const context = await aContext(async () => anExecution([7, 8]));
    const before = Date.now();
    const outcome = await runAttempt(context, anAssignment(), never);
    if (outcome.kind !== "Completed") throw new Error(outcome.message);
    const { message, signature } = outcome.receipt;
    expect(message).toMatchObject({
      taskId: taskId("a"),
      attempt: 1,
      worker: signer.address,
      modelDigest: taskId("1"),
      inputDigest: taskId("2"),
      imageDigest: taskId("e"),
      codeDigest: taskId("f"),
      outputDigest: `0x${anExecution([7, 8]).outputDigest.slice(7)}`,
      runtime: "onnxruntime/1.27.0 cpu avx2 all",
    });
    expect(message.startedAtMs).toBeGreaterThanOrEqual(before);
    expect(message.endedAtMs).toBeGreaterThanOrEqual(message.startedAtMs);
    expect(recoverSigner(domain, receiptTypes, message, signature)).toBe(signer.address);
    expect(signature).toHaveLength(2 + 128);
    expect(outcome).toMatchObject({ items: 2, output: { label: { dtype: "int32", shape: [2], data: [7, 8] } } });
  });

  test("ends in a receipt each of whose fields is bound by the signature", async () => {
    const outcome = await runAttempt(await aContext(async () => anExecution()), anAssignment(), never);
    if (outcome.kind !== "Completed") throw new Error(outcome.message);
    const { message, signature } = outcome.receipt;
    const others = Object.entries(message).map(([field, value]) => {
      const changed = typeof value === "number" ? value + 1 : field === "runtime" ? `${value}x` : taskId("9");
      return [field, field === "worker" ? `0x${"9".repeat(40)}` : changed] as const;
    });
    expect(others.map(([field]) => field)).toEqual(
      expect.arrayContaining([
        "modelDigest",
        "imageDigest",
        "codeDigest",
        "inputDigest",
        "outputDigest",
        "worker",
        "attempt",
      ]),
    );
    for (const [field, value] of others) {
      const found = recoverSigner(domain, receiptTypes, { ...message, [field]: value }, signature);
      expect([field, found === signer.address]).toEqual([field, false]);
    }
  });

  test("ends after it began also where the clock is set back meanwhile", async () => {
    let setMs = 0;
    const context = await aContext(async () => {
      setMs = -3_600_000;
      return anExecution();
    });
    const clock = { ...systemClock, now: () => systemClock.now() + setMs };
    const outcome = await runAttempt({ ...context, clock }, anAssignment(), never);
    if (outcome.kind !== "Completed") throw new Error(outcome.message);
    const { startedAtMs, endedAtMs } = outcome.receipt.message;
    expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs);
  });

  test("asks for exactly the model, the input and the steps of the assignment", async () => {
    const asked: unknown[] = [];
    const context = await aContext(async (request) => {
      asked.push(request);
      return anExecution();
    });
    const steps = { count: 3, tensors: ["x"], state: [{ input: "h", output: "hn" }] };
    const inline = { x: { dtype: "float32", shape: [3], base64: "AAAAAAAAAAAAAAAA" } };
    await runAttempt(context, anAssignment({ input: { inline, steps } }), never);
    expect(asked).toEqual([
      {
        model: { uri: "file:///model.onnx", digest: `sha256:${"1".repeat(64)}` },
        input: { inline: expect.objectContaining({ x: expect.objectContaining({ dtype: "float32", shape: [3] }) }) },
        steps,
      },
    ]);
  });

  test("signs nothing for an attempt that it has signed before, also after a restart", async () => {
    const stateDir = await aFolder();
    const first = await aContext(async () => anExecution(), stateDir);
    expect((await runAttempt(first, anAssignment(), never)).kind).toBe("Completed");
    let again = 0;
    const restarted = await aContext(async () => {
      again += 1;
      return anExecution([9]);
    }, stateDir);
    for (const context of [first, restarted]) {
      expect(await runAttempt(context, anAssignment(), never)).toMatchObject({
        kind: "Failed",
        reason: "AlreadySigned",
      });
    }
    expect(again).toBe(0);
    const next = await aContext(async () => anExecution(), stateDir);
    expect((await runAttempt(next, anAssignment({ attempt: 2 }), never)).kind).toBe("Completed");
  });

  test("of two runs at once only one signs", async () => {
    const context = await aContext(async () => anExecution());
    const outcomes = await Promise.all([1, 2].map(() => runAttempt(context, anAssignment(), never)));
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(["Completed", "Failed"]);
  });

  test("runs up to its deadline and no longer", async () => {
    const context = await aContext(waiting);
    const outcome = await runAttempt(context, anAssignment({ deadlineMs: Date.now() + 30 }), never);
    expect(outcome).toMatchObject({ kind: "Failed", reason: "Timeout", retryable: true });
  });

  test("does not begin after its deadline", async () => {
    let runs = 0;
    const context = await aContext(async () => {
      runs += 1;
      return anExecution();
    });
    const outcome = await runAttempt(context, anAssignment({ deadlineMs: Date.now() - 1 }), never);
    expect(outcome).toMatchObject({ kind: "Failed", reason: "Timeout" });
    expect(runs).toBe(0);
  });

  test("a stop hands it back", async () => {
    const stop = new AbortController();
    const context = await aContext(waiting);
    const outcome = runAttempt(context, anAssignment(), stop.signal);
    stop.abort(new InferiumError("Stopped", "The worker is stopping."));
    expect(await outcome).toMatchObject({ kind: "Failed", reason: "Stopped", retryable: true });
  });

  test("outputs that no receipt can carry fail for good, and nothing is signed", async () => {
    const context = await aContext(async () => anExecution(Array(16_385).fill(1)));
    const assignment = anAssignment();
    const outcome = await runAttempt(context, assignment, never);
    expect(outcome).toMatchObject({ kind: "Failed", reason: "OutputTooLarge", retryable: false });
    expect(context.signed.has(assignment.taskId, assignment.attempt)).toBe(false);
  });
});
