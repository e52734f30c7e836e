/** `inferium verify call` against a gateway, by a caller who keeps what curl writes. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { InferenceTask } from "../../../src/api/v1alpha1/types.ts";
import { runVerifyCall, type VerifyCallOptions } from "../../../src/cli/verify-call.ts";
import {
  aKey,
  anAgent,
  type GatewayRig,
  infer,
  inferBody,
  openGateway,
  until,
  untilReady,
} from "./support/gateway-rig.ts";

let rig: GatewayRig;
let dir: string;
let receipt: string;
let options: VerifyCallOptions;
const windows = { maxCalls: 3, maxAgeMs: 60_000, maxBytes: 2 ** 24, maxHeldBytes: 2 ** 26, keptWindows: 10 };

async function put(name: string, content: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-verify-call-"));
  rig = await openGateway([anAgent], { windows });
  await untilReady(rig.url);
  const response = await infer(rig.url, { body: inferBody(1) });
  await infer(rig.url, { body: inferBody(2) });
  receipt = response.headers.get("inferium-receipt") ?? "";
  options = {
    gateway: `${rig.url}/`,
    receipt: await put("headers", `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=75\r\ninferium-receipt: ${receipt}\r\n\r\n`),
    keyFile: await put("key", `${aKey}\n`),
    sent: await put("sent", inferBody(1)),
    got: await put("got", await response.text()),
  };
});

afterAll(async () => {
  await rig.close();
  await rm(dir, { recursive: true, force: true });
});

async function verify(changes: Partial<VerifyCallOptions> = {}, task?: InferenceTask) {
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), note: () => undefined };
  const status = await runVerifyCall({ ...options, ...changes }, io, task);
  return { status, lines };
}

it("says of an open window that it has no root yet", async () => {
  await expect(verify()).rejects.toMatchObject({ code: "WindowOpen" });
});

it("finds a receipt right, and says what it was not asked to check", async () => {
  await infer(rig.url, { body: inferBody(3) });
  await until(() => rig.sink.opened.size === 1);
  const { status, lines } = await verify();
  expect(status).toBe(0);
  expect(lines[0]).toMatch(/^The receipt of call 0 of window 0x[0-9a-f]{64} holds\.$/);
  expect(lines.filter((line) => line.startsWith("ok")).map((line) => line.split(/ +/)[1])).toEqual([
    "Sent",
    "Got",
    "Window",
    "Signature",
    "Place",
  ]);
  expect(lines.at(-1)).toBe("not checked: that the window is settled (--task)");
});

it("finds out another body, another signature and another task", async () => {
  const failed = async (changes: Partial<VerifyCallOptions>, task?: InferenceTask) => {
    const { status, lines } = await verify(changes, task);
    expect(status).toBe(1);
    return lines.filter((line) => line.startsWith("FAILED")).map((line) => line.split(/ +/)[1]);
  };
  expect(await failed({ sent: await put("other", inferBody(2)) })).toEqual(["Sent"]);
  expect(await failed({ got: options.sent! })).toEqual(["Got"]);
  const forged = receipt.replace(/signature=:..../, "signature=:AAAA");
  expect(await failed({ receipt: await put("forged", forged) })).toEqual(["Signature"]);
  const { windowId, root, revenueWei } = rig.sink.windows[0]!;
  const taskOf = (calls: object, status: object) =>
    ({ metadata: { name: "calls-1" }, spec: { calls }, status }) as unknown as InferenceTask;
  const settled = { phase: "Settled", settlement: { batch: "1" } };
  expect(await failed({}, taskOf({ windowId, root, revenueWei: "301" }, settled))).toEqual(["Task"]);
  expect(await failed({}, taskOf({ windowId, root, revenueWei }, { phase: "Running" }))).toEqual(["Task"]);
  expect((await verify({}, taskOf({ windowId, root, revenueWei }, settled))).status).toBe(0);
});

it("says what is wrong with files and keys", async () => {
  await expect(verify({ receipt: join(dir, "nothing") })).rejects.toMatchObject({ code: "FileUnreadable" });
  await expect(verify({ receipt: options.sent! })).rejects.toMatchObject({ code: "InvalidReceipt" });
  const { keyFile: _, ...anonymous } = options;
  const io = { out: () => undefined, note: () => undefined };
  await expect(runVerifyCall(anonymous, io)).rejects.toThrow("status 404: ");
  await expect(verify({ gateway: "http://127.0.0.1:9" })).rejects.toMatchObject({ code: "GatewayUnreachable" });
});
