import { expect, it } from "vitest";
import { parsePath } from "../../../src/gateway/routes/parse-path.ts";

const windowId = `0x${"a".repeat(64)}`;

it.each([
  ["/v2", { kind: "oip-server", verb: "metadata" }],
  ["/v2/?x=1", { kind: "oip-server", verb: "metadata" }],
  ["/v2/health/live", { kind: "oip-server", verb: "live" }],
  ["/v2/health/ready", { kind: "oip-server", verb: "ready" }],
  ["/v2/models/m", { kind: "oip-model", model: "m", version: undefined, verb: "metadata" }],
  ["/v2/models/a%2Fb/versions/1/infer", { kind: "oip-model", model: "a/b", version: "1", verb: "infer" }],
  ["/v2/models/m/ready?x", { kind: "oip-model", model: "m", version: undefined, verb: "ready" }],
  ["/v2/models/infer/infer", { kind: "oip-model", model: "infer", version: undefined, verb: "infer" }],
  ["/v1/chat/completions", { kind: "openai-call", path: "/v1/chat/completions" }],
  ["/v1/models", { kind: "openai-models", model: undefined }],
  ["/v1/models/org%2Fname", { kind: "openai-models", model: "org/name" }],
  ["/v1/models/org/name", { kind: "openai-models", model: "org/name" }],
  ["/inferium/v1/receipt-key", { kind: "receipt-key" }],
  [`/inferium/v1/windows/${windowId}`, { kind: "window", windowId, index: undefined }],
  [`/inferium/v1/windows/${windowId}/calls/7`, { kind: "window", windowId, index: 7 }],
])("%s is %o", (url, want) => {
  expect(parsePath(url)).toEqual(want);
});

it.each([
  "/",
  "/v2/models",
  "/v2/models/",
  "/v2/models/m/other",
  "/v2/models/%ff",
  "/v2/models/m/versions/%ff/infer",
  "/v1/models/%",
  "/v1/chat/completions/x",
  "/inferium/v1/windows/0x12",
  `/inferium/v1/windows/${windowId}/calls/-1`,
  "//v2",
])("%s is nothing", (url) => {
  expect(parsePath(url)).toEqual({ kind: "none" });
});
