/** What a simulation starts from: a chain with all contracts, and accepted tasks with their signed receipts, as files. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InferenceTaskStatus } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import { validateTask } from "../../../src/protocol/lifecycle.ts";
import { newStatus } from "../../../src/protocol/task-stage.ts";
import {
  computeTaskId,
  hashMessage,
  orderTypes,
  type ReceiptMessage,
  receiptTypes,
} from "../../../src/protocol/typed-data.ts";
import type { ChainFixture } from "../../integration/chain/chain-fixture.ts";

export const rewardWei = 10n ** 16n + 7n;

const context = { generation: 1, now: "2026-01-01T00:00:00Z" };
const digest = (byte: string) => `0x${byte.repeat(32)}`;

export async function writeTasks(dir: string, chain: ChainFixture, count: number): Promise<void> {
  await mkdir(join(dir, "tasks"), { recursive: true });
  await mkdir(join(dir, "secrets"), { recursive: true });
  await writeOrder(dir, chain);
  const worker = createSigner(chain.workers[0]!.privateKey);
  for (let index = 0; index < count; index++) {
    const name = `task-${String(index).padStart(5, "0")}`;
    const uid = `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
    const message: ReceiptMessage = {
      ...{ taskId: computeTaskId(uid), attempt: 1, worker: worker.address, modelDigest: digest("a1") },
      ...{ imageDigest: digest("00"), codeDigest: digest("00"), inputDigest: digest("b2"), outputDigest: digest("c3") },
      ...{ runtime: "sim", startedAtMs: Date.now() - 2_000, endedAtMs: Date.now() - 1_000 },
    };
    const signature = await worker.signTypedData(chain.client.domain, receiptTypes, message);
    const receipt = { message, signature, digest: hashMessage(chain.client.domain, receiptTypes, message) };
    const committed = { ...newStatus, phase: "Validating", receipt } as InferenceTaskStatus;
    const task = {
      apiVersion: "inferium.io/v1alpha1",
      kind: "InferenceTask",
      metadata: { name, namespace: "sim", uid, generation: 1, resourceVersion: "1" },
      spec: {
        model: { uri: "file:///model.onnx", digest: `sha256:${"a1".repeat(32)}` },
        input: { uri: "file:///input.json", digest: `sha256:${"b2".repeat(32)}` },
        reward: "0.010000000000000007",
        requester: chain.requester.address,
        orderRef: { name: "order" },
        retries: 1,
      },
      status: validateTask(committed, { result: "Unverified" }, context),
    };
    await writeFile(join(dir, "tasks", `${name}.json`), JSON.stringify(task));
  }
}

async function writeOrder(dir: string, chain: ChainFixture): Promise<void> {
  const message = {
    ...{ requester: chain.requester.address, pool: "sim", modelsRoot: digest("00"), nonce: 1n },
    ...{ maxPerTaskWei: 10n ** 18n, maxTotalWei: 10n ** 21n, expiresAt: 4_000_000_000 },
  };
  const signature = await createSigner(chain.requester.privateKey).signTypedData(
    chain.client.domain,
    orderTypes,
    message,
  );
  const text = (value: unknown) =>
    JSON.stringify(value, (_, item) => (typeof item === "bigint" ? item.toString() : item));
  const order = Buffer.from(text({ message, signature })).toString("base64");
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "order", namespace: "sim" } };
  await writeFile(join(dir, "secrets", "order.json"), JSON.stringify({ ...secret, data: { "order.json": order } }));
}
