/** What a worker's parts need, without a model, a pool or a network. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { Execution } from "../../../src/inference/execute.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { ReceiptOutcome, ReceiptRequest } from "../../../src/pool/wire.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";
import type { ProtocolDomain } from "../../../src/protocol/typed-data.ts";
import { openSignedAttempts, type SignedAttempts } from "../../../src/worker/signed-attempts.ts";

export const domain: ProtocolDomain = { chainId: 31337, settlement: "0x5FbDB2315678afecb367f032d93F642f64180aa3" };
export const signer = createSigner(`0x${"11".repeat(32)}`);
export const taskId = (digit: string) => `0x${digit.repeat(64)}`;

const folders: string[] = [];
const records: SignedAttempts[] = [];
afterEach(async () => {
  for (const record of records.splice(0)) await record.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
export async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "inferium-worker-"));
  folders.push(folder);
  return folder;
}

/** Each call is like a restart. */
export async function openRecord(folder: string, maxPerFile?: number): Promise<SignedAttempts> {
  const record = await openSignedAttempts(folder, maxPerFile);
  records.push(record);
  return record;
}

export function anAssignment(overrides: Partial<WorkAssignment> = {}): WorkAssignment {
  return {
    namespace: "demo",
    task: "task-a",
    taskId: taskId("a"),
    attempt: 1,
    model: { uri: "file:///model.onnx", digest: `sha256:${"1".repeat(64)}` },
    input: { uri: "file:///input.safetensors", digest: `sha256:${"2".repeat(64)}` },
    verification: { policy: "Exact" },
    deadlineMs: Date.now() + 60_000,
    ...overrides,
  };
}

export function anExecution(values: readonly number[] = [7]): Execution {
  const outputs = new Map([["label", tensorFrom("int32", [values.length], values)]]);
  return {
    outputs,
    outputDigest: digestTensors(outputs),
    inputDigest: `sha256:${"2".repeat(64)}`,
    modelDigest: `sha256:${"1".repeat(64)}`,
    runtime: { version: "1.27.0", provider: "cpu", isa: "avx2", level: "all" },
    items: values.length,
  };
}

export function aFailure(reason = "Timeout"): ReceiptOutcome {
  return { kind: "Failed", taskId: taskId("a"), attempt: 1, reason, message: "too slow", retryable: true };
}

export function aReceiptRequest(
  overrides: { task?: string; attempt?: number; signature?: string } = {},
): ReceiptRequest {
  const zero = taskId("0");
  const message = {
    taskId: taskId("a"),
    attempt: overrides.attempt ?? 1,
    worker: signer.address,
    modelDigest: zero,
    imageDigest: zero,
    codeDigest: zero,
    inputDigest: zero,
    outputDigest: zero,
    runtime: "r",
    startedAtMs: 1,
    endedAtMs: 2,
  };
  const receipt = { message, signature: overrides.signature ?? "0x" };
  return {
    namespace: "demo",
    task: overrides.task ?? "task-a",
    outcome: { kind: "Completed", receipt, output: {}, items: 1 },
  };
}

/** Resolves when the condition holds; fails after two seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("the condition never held");
}
