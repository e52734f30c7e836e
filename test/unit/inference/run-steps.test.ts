import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { runSteps } from "../../../src/inference/run-steps.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";

describe("running steps", () => {
  it("ends at the step in which the task was aborted, and runs no more", async () => {
    const abort = new AbortController();
    let runs = 0;
    const session = {
      inputMetadata: [{ name: "x", isTensor: true, type: "uint8", shape: [1] }],
      outputNames: ["y"],
    } as unknown as ort.InferenceSession;
    const run = async () => {
      runs += 1;
      if (runs === 3) abort.abort(new Error("deadline passed"));
      return { y: new ort.Tensor("uint8", Uint8Array.of(runs), [1]) };
    };
    const inputs = new Map([["x", tensorFrom("uint8", [5], [1, 2, 3, 4, 5])]]);
    const limits = { maxOutputBytes: 100, signal: abort.signal };
    const work = runSteps({ session, run }, inputs, { count: 5, tensors: ["x"], state: [] }, limits);
    await expect(work).rejects.toThrow("deadline passed");
    expect(runs).toBe(3);
  });
});
