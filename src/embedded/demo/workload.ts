/**
 * The real work of an embedded run: the ten thousand MNIST test images as a benchmark in batches, and the Silero speech
 * model on a recording, and a few single images whose labels are proven. Publishes models and inputs, signs the order that pays, builds the tasks. Creates nothing on the
 * cluster itself.
 */
import type { Wallet } from "ethers";
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { InferenceTask, Tier } from "../../api/v1alpha1/types.ts";
import type { SignedOrder } from "../../pool/batch-evidence.ts";
import { parseIfr } from "../../protocol/amount.ts";
import { zeroHash } from "../../protocol/settlement.ts";
import { buildDomain, orderTypes, type ProtocolDomain } from "../../protocol/typed-data.ts";
import type { PublishedArtifact } from "./artifact-server.ts";

export const demoNamespace = "inferium-demo";
export const orderSecret = "demo-order";
/** What one task pays, in IFR. */
export const rewards = { mnist: "10", speech: "5", proven: "10", training: "50" } as const;

export interface TaskPlan {
  readonly name: string;
  readonly type: "Benchmark" | "Inference";
  readonly tier?: Tier;
  readonly model: PublishedArtifact;
  readonly input: PublishedArtifact;
  readonly steps?: NonNullable<InferenceTask["spec"]["input"]["steps"]>;
  /** Absent: bits must agree. */
  readonly tolerance?: { readonly absolute: number; readonly relative: number };
  /** Whether a validator proves the result instead. */
  readonly proven?: true;
  readonly priority?: number;
  readonly reward: string;
}

/** What a user sends: fields with a default may be left out. */
export type TaskManifest = Pick<InferenceTask, "apiVersion" | "kind" | "metadata"> & {
  readonly spec: Partial<InferenceTask["spec"]>;
};

export function buildTask(plan: TaskPlan, requester: string): TaskManifest {
  const panel = { validators: 3, quorum: 2 } as const;
  const verification = plan.tolerance
    ? ({ policy: "Tolerance", ...panel, tolerance: plan.tolerance } as const)
    : ({ policy: plan.proven ? "ZeroKnowledge" : "Exact", ...panel } as const);
  return {
    apiVersion,
    kind: "InferenceTask",
    metadata: { name: plan.name, namespace: demoNamespace },
    spec: {
      type: plan.type,
      ...(plan.tier ? { tier: plan.tier } : {}),
      model: { uri: plan.model.uri, digest: plan.model.digest, format: "onnx" },
      input: {
        uri: plan.input.uri,
        digest: plan.input.digest,
        ...(plan.steps ? { steps: plan.steps } : {}),
      },
      verification,
      ...(plan.priority === undefined ? {} : { priority: plan.priority }),
      reward: plan.reward,
      requester,
      orderRef: { name: orderSecret },
      timeoutSeconds: 60,
    },
  };
}

export interface OrderTerms {
  readonly pool: string;
  readonly domain: ProtocolDomain;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly nonce: bigint;
}

/** Allows the pool's tasks to spend the requester's deposit: at most 100 IFR a task, 100,000 in all, any model. */
export async function signOrder(requester: Wallet, terms: OrderTerms): Promise<SignedOrder> {
  const message = {
    requester: requester.address,
    pool: terms.pool,
    maxPerTaskWei: parseIfr("100").toString(),
    maxTotalWei: parseIfr("100000").toString(),
    modelsRoot: zeroHash,
    expiresAt: terms.expiresAt,
    nonce: terms.nonce.toString(),
  };
  return { message, signature: await requester.signTypedData(buildDomain(terms.domain), orderTypes, message) };
}
