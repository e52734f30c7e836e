/** A directory over WorkerNodes that a test gives, with a chain and a pool that have nothing against anybody. */
import type { WorkerNodeStatus } from "../../../src/api/v1alpha1/generated/workernodes.ts";
import type { Informer } from "../../../src/kube/informer.ts";
import { ObjectStore } from "../../../src/kube/store.ts";
import { byAddress, byGpu, Directory, type DirectoryOptions, uuidsOf } from "../../../src/operator/directory.ts";
import type { WorkerObject } from "../../../src/operator/kinds.ts";
import { defaultProofPolicy } from "../../../src/protocol/proven-capability.ts";

export interface WorkerParts {
  readonly role?: "Worker" | "Validator" | "Both";
  readonly createdAt?: string;
  readonly uuids?: readonly string[];
  readonly status?: WorkerNodeStatus;
  readonly simulated?: boolean;
}

export function aWorkerNode(name: string, parts: WorkerParts = {}): WorkerObject {
  const { role = "Worker", createdAt = "2026-01-01T00:00:00Z", uuids = [`GPU-of-${name}`] } = parts;
  const gpu = { product: "NVIDIA A100-SXM4-80GB", memoryMiB: 81_920, computeCapability: "8.0", healthy: true };
  const address = `0x${Buffer.from(name).toString("hex").padStart(40, "0").slice(-40)}`;
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "WorkerNode",
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: createdAt },
    spec: { address, role, nodeName: name, remote: false, slots: 1, cordoned: false, mode: "Pooled" },
    status: {
      observedGeneration: 1,
      tier: "High",
      capability: { level: "Inspected" },
      bond: { state: "Active", stakeWei: "1" },
      hardware: {
        source: "NvidiaSmi",
        simulated: parts.simulated ?? false,
        gpus: uuids.map((uuid) => ({ uuid, ...gpu })),
      },
      ...parts.status,
    },
  };
}

export function aDirectory(workers: readonly WorkerObject[], options: Partial<DirectoryOptions> = {}): Directory {
  const store = new ObjectStore({
    transform: (worker: WorkerObject) => worker,
    indexers: { [byAddress]: ({ spec }: WorkerObject) => [spec.address.toLowerCase()], [byGpu]: uuidsOf },
  });
  for (const worker of workers) store.put(worker);
  const parts = {
    workers: { store } as unknown as Informer<WorkerObject>,
    nodes: { store: new Map() },
    bonds: { of: () => undefined, validatorSet: undefined },
    bans: { isBanned: () => false },
    presence: { isConnected: () => true, of: () => ({ models: new Set<string>(), lastSeenMs: 0 }) },
    clock: { now: () => Date.parse("2026-06-01T00:00:00Z"), monotonic: () => 0 },
    countActive: () => 0,
    scoreOf: () => 0.5,
    isSlashDue: () => false,
    challengeOf: () => undefined,
    proofPolicy: defaultProofPolicy,
    ...options,
  };
  return new Directory(parts as unknown as DirectoryOptions);
}
