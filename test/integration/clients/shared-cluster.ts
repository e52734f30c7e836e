/**
 * One control plane for all the clients' tests: they differ by namespace, and starting it costs more than most of them.
 * Imported by each file of cases; `clients.test.ts` opens and closes it.
 */
import { vi } from "vitest";
import { type ClientCluster, openClientCluster } from "./client-cluster.ts";

// Tests run side by side, each with dozens of processes: on a busy machine all of them take long.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let opened: ClientCluster | undefined;

export async function openSharedCluster(): Promise<void> {
  opened = await openClientCluster();
}

export async function closeSharedCluster(): Promise<void> {
  await opened?.close();
}

/** Of a test that runs; the cluster is open then. */
export function shared(): ClientCluster {
  if (opened === undefined) throw new Error("the clients' cluster is not open: import this from clients.test.ts alone");
  return opened;
}
