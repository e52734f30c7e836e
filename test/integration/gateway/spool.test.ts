/** A gateway that is killed: the one that is started after it brings the windows that it had not delivered. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import { readWindow } from "../../../src/gateway/spool/spool-record.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import { parseReceipt } from "../../../src/protocol/call-receipt.ts";
import type { CallLeaf } from "../../../src/protocol/calls.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import {
  aCaller,
  anAgent,
  createRecordingSink,
  type GatewayRig,
  infer,
  inferBody,
  openGateway,
  until,
  untilReady,
} from "./support/gateway-rig.ts";
import { startHeldOip } from "./support/test-backends.ts";

let root: string;
let backend: Awaited<ReturnType<typeof startHeldOip>>;
const rigs: GatewayRig[] = [];
beforeAll(async () => {
  backend = await startHeldOip();
  backend.release();
});
afterAll(() => backend.close());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "spool-"));
});
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.close()));
  rmSync(root, { recursive: true });
});

const anAgentOf = (budgetWei: string) => ({
  ...anAgent,
  backends: [backend.url],
  callers: [{ ...aCaller, budgetWei }],
});

async function open(name: string, maxBytes = 2 ** 24, sink = createRecordingSink(2)): Promise<GatewayRig> {
  const rig = await openGateway(
    [anAgentOf(aCaller.budgetWei)],
    { spool: { dir: join(root, name), maxBytes }, graceMs: 200 },
    sink,
  );
  rigs.push(rig);
  await untilReady(rig.url);
  return rig;
}

const filesOf = (name: string) => readdirSync(join(root, name)).filter((file) => file.endsWith(".calls"));
const callsIn = (name: string) =>
  filesOf(name).reduce((sum, file) => sum + (readWindow(readFileSync(join(root, name, file)))?.calls.length ?? 0), 0);

it("brings the calls of the killed one as they were answered, once, and then keeps nothing of them", async () => {
  const first = await open("first");
  const leaves: CallLeaf[] = [];
  for (let i = 0; i < 5; i++) {
    const response = await infer(first.url, { body: inferBody(i) });
    leaves.push(parseReceipt(response.headers.get("inferium-receipt") ?? "").leaf);
  }
  await until(() => callsIn("first") === 5);
  // What the disk has at this moment is what a kill leaves.
  cpSync(join(root, "first"), join(root, "second"), { recursive: true, filter: (path) => !path.endsWith("lock") });
  const second = await open("second");
  await until(() => second.sink.opened.size === 1);
  const [window] = second.sink.windows;
  expect(window).toMatchObject({ windowId: leaves[0]?.windowId, count: 5, failed: 0, revenueWei: "500" });
  const opened = second.sink.opened.get(window?.windowId ?? "") ?? [];
  expect(opened.map(({ leaf }) => leaf)).toEqual(opened.map(({ leaf }) => leaves[leaf.index]));
  for (const { leaf, input, output } of opened) {
    expect(input?.kind === "tensors" && digestTensors(readInline(input.tensors))).toBe(leaf.inputDigest);
    expect(output?.kind === "tensors" && digestTensors(readInline(output.tensors))).toBe(leaf.outputDigest);
  }
  await until(() => filesOf("second").length === 0);
  // To the pool the window is the very one that the killed gateway would have brought.
  await first.gateway.close();
  expect(first.sink.windows).toEqual([window]);
  expect(filesOf("first")).toEqual([]);
});

it("brings what a gateway could not deliver before it stopped", async () => {
  const away = createRecordingSink();
  away.beforeCommit = () => {
    throw new InferiumError("Away", "The pool is away.", { disposition: "retry" });
  };
  const first = await open("one", 2 ** 24, away);
  await infer(first.url);
  expect(await first.gateway.close()).toBe(1);
  expect(callsIn("one")).toBe(1);
  const second = await open("one");
  await until(() => second.sink.opened.size === 1 && filesOf("one").length === 0);
});

it("holds back of a caller's budget what it has not brought yet", async () => {
  const away = createRecordingSink();
  away.beforeCommit = () => {
    throw new InferiumError("Away", "The pool is away.", { disposition: "retry" });
  };
  const first = await open("one", 2 ** 24, away);
  for (let i = 0; i < 3; i++) await infer(first.url);
  await first.gateway.close();
  const second = await open("one", 2 ** 24, away);
  second.directory.set([anAgentOf("400")]);
  expect((await infer(second.url)).status).toBe(200);
  expect((await infer(second.url)).status).toBe(402);
});

it("takes no call that it has no room for", async () => {
  const rig = await open("small", 2_000);
  await until(async () => (await infer(rig.url)).status === 503);
  const refusal = await infer(rig.url);
  expect(await refusal.json()).toMatchObject({ error: expect.stringContaining("the disk for them is used up") });
});

it("does not share its folder", async () => {
  await open("one");
  await expect(open("one")).rejects.toMatchObject({ code: "SpoolInUse" });
});
