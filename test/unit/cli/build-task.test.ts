import { describe, expect, test } from "vitest";
import { buildTask, type SubmitFlags } from "../../../src/cli/build-task.ts";

const model = { uri: "https://m.example/m.onnx", digest: `sha256:${"a".repeat(64)}`, format: "onnx" } as const;
const input = { inline: { x: { dtype: "float32", shape: [1], data: [1] } } } as const;
const sources = { namespace: "ns", model, input: structuredClone(input) as never, suffix: "0badcafe" };
const build = (flags: SubmitFlags) => buildTask(flags, sources);

describe("buildTask", () => {
  test("leaves to the API's defaults what no flag says", () => {
    expect(build({})).toEqual({
      apiVersion: "inferium.io/v1alpha1",
      kind: "InferenceTask",
      metadata: { name: "task-0badcafe", namespace: "ns" },
      spec: { model, input },
    });
  });

  test("says every flag in the API's terms", () => {
    const flags = {
      name: "t",
      type: "benchmark",
      tier: "mid",
      policy: "tolerance",
      validators: 5,
      absolute: 0.001,
      reward: "1.5",
      requester: "0xabc",
      order: "my-order",
      priority: -3,
      queue: "q",
      timeout: 60,
      deadline: 600,
      retries: 0,
    };
    expect(build(flags).metadata.name).toBe("t");
    expect(build(flags).spec).toEqual({
      type: "Benchmark",
      tier: "Mid",
      model,
      input,
      verification: { policy: "Tolerance", validators: 5, quorum: 3, tolerance: { absolute: 0.001, relative: 0 } },
      reward: "1.5",
      requester: "0xabc",
      orderRef: { name: "my-order" },
      priority: -3,
      queue: "q",
      timeoutSeconds: 60,
      deadlineSeconds: 600,
      retries: 0,
    });
  });

  test.each<[string, SubmitFlags, unknown]>([
    ["a bound alone means Tolerance", { relative: 0.1 }, { policy: "Tolerance", validators: 3, quorum: 2 }],
    ["a panel alone is Exact with its majority", { validators: 4 }, { policy: "Exact", validators: 4, quorum: 3 }],
    ["a quorum is taken as it is", { quorum: 3 }, { policy: "Exact", validators: 3, quorum: 3 }],
  ])("%s", (_, flags, want) => {
    expect(build(flags).spec.verification).toMatchObject(want as object);
  });

  test.each<[SubmitFlags, string]>([
    [{ type: "Poetry" }, "--type"],
    [{ tier: "Huge" }, "--tier"],
    [{ policy: "Hope" }, "--policy"],
    [{ policy: "Tolerance" }, "--absolute or --relative"],
    [{ reward: "1" }, "--reward needs --requester"],
    [{ reward: "1", requester: "0xabc" }, "--order"],
  ])("refuses %j", (flags, problem) => {
    expect(() => build(flags)).toThrow(problem);
  });
});
