import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { probeInput, probeModel, probeOutput } from "../../../src/inference/probe-model.ts";
import { openRun } from "../../../src/inference/session-run.ts";

const open = () => ort.InferenceSession.create(Buffer.from(probeModel, "base64"));
const feeds = () => ({ x: new ort.Tensor("float32", [probeInput], [1]) });

describe("running a session", () => {
  it("goes past InferenceSession.run, with the same results", async () => {
    const session = await open();
    const expected = await session.run(feeds());
    let checked = 0;
    Object.defineProperty(session, "run", { value: () => (checked += 1) });
    const results = await openRun(session)(feeds());
    expect(checked).toBe(0);
    expect(Object.keys(results)).toEqual(Object.keys(expected));
    expect(results.y?.data).toEqual(expected.y?.data);
    expect(results.y?.data[0]).toBe(probeOutput);
    await session.release();
  });

  it("rejects with what onnxruntime says", async () => {
    const session = await open();
    const wrong = { x: new ort.Tensor("int64", [1n], [1]) };
    await expect(openRun(session)(wrong)).rejects.toThrow(/Unexpected input data type/);
    await session.release();
  });

  it("uses a session's own run where it has no handler", async () => {
    const y = new ort.Tensor("float32", [1], [1]);
    const session = { run: async () => ({ y }), outputNames: ["y"] } as unknown as ort.InferenceSession;
    expect(await openRun(session)(feeds())).toEqual({ y });
  });
});
