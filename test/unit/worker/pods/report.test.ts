import { describe, expect, it } from "vitest";
import type { Digest } from "../../../../src/base/digest.ts";
import { type PodReport, readReport, writeReport } from "../../../../src/worker/pods/report.ts";

const digest: Digest = `sha256:${"ab".repeat(32)}`;

describe("a pod's report", () => {
  it.each<PodReport>([
    { kind: "checkpoint", index: 1, digest },
    { kind: "trained", checkpoints: [digest], model: digest },
    { kind: "outputs", outputs: { y: { dtype: "uint8", shape: [1], data: [1] } } },
    { kind: "failed", code: "NotFound", message: "no" },
  ])("of kind $kind is read as it was written", (report) => {
    expect(readReport(writeReport(report))).toEqual(report);
  });

  it.each([
    "epoch 1",
    "",
    '{"level":"info"}',
    '{"inferium.io/report":',
    '{"inferium.io/report":null}',
    '{"inferium.io/report":{"kind":"checkpoint","index":0,"digest":"sha256:x"}}',
    '{"inferium.io/report":{"kind":"trained","checkpoints":["x"],"model":"y"}}',
    '{"inferium.io/report":{"kind":"outputs","outputs":[]}}',
    '{"inferium.io/report":{"kind":"other"}}',
  ])("is not the line %j", (line) => {
    expect(readReport(line)).toBeUndefined();
  });
});
