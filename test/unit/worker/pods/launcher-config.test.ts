import { describe, expect, it } from "vitest";
import { createEnvironmentReader } from "../../../../src/base/environment.ts";
import { readLauncherConfig } from "../../../../src/worker/pods/launcher-config.ts";

const read = (env: Record<string, string>) => readLauncherConfig(createEnvironmentReader(env));
const complete = {
  INFERIUM_EXECUTOR: "pod",
  INFERIUM_POD_NAMESPACE: "tasks",
  INFERIUM_POD_DEFAULTS: '{"image":"own","env":[{"name":"A","value":"1"}]}',
};

describe("what makes a worker a launcher", () => {
  it("is said, or it is none", () => {
    expect(read({})).toBeUndefined();
    expect(read({ INFERIUM_EXECUTOR: "Pooled" })).toBeUndefined();
    expect(read({ ...complete, INFERIUM_EXECUTOR: "Pod" })).toMatchObject({ namespace: "tasks" });
  });

  it("allows tasks no image but its own where none is named", () => {
    expect(read(complete)).toMatchObject({ images: [], pollMs: 1_000, defaults: { image: "own" } });
    expect(read({ ...complete, INFERIUM_POD_IMAGES: "a/, b" })?.images).toEqual(["a/", "b"]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["another executor", { INFERIUM_EXECUTOR: "job" }, "INFERIUM_EXECUTOR"],
    ["no namespace", { INFERIUM_POD_NAMESPACE: "" }, "INFERIUM_POD_NAMESPACE"],
    ["no defaults", { INFERIUM_POD_DEFAULTS: "" }, "INFERIUM_POD_DEFAULTS"],
    ["defaults that are no JSON", { INFERIUM_POD_DEFAULTS: "{" }, "INFERIUM_POD_DEFAULTS"],
    ["defaults that are a list", { INFERIUM_POD_DEFAULTS: "[]" }, "INFERIUM_POD_DEFAULTS"],
    ["defaults without an image", { INFERIUM_POD_DEFAULTS: "{}" }, "INFERIUM_POD_DEFAULTS"],
    ["a field that nobody reads", { INFERIUM_POD_DEFAULTS: '{"image":"a","volumes":[]}' }, "INFERIUM_POD_DEFAULTS"],
    ["a rhythm that is none", { INFERIUM_POD_POLL_MS: "0" }, "INFERIUM_POD_POLL_MS"],
  ])("is refused with %s", (_, change, variable) => {
    expect(() => read({ ...complete, ...change })).toThrow(variable);
  });
});
