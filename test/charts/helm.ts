/** helm 3.17 and 4.1 on the chart, for the tests of this folder; tests of a version that is not on this machine are skipped. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../src/kube/object.ts";
import { findTool } from "../integration/clients/client-tools.ts";

export const chart = fileURLToPath(new URL("../../charts/inferium", import.meta.url));

export const helms = (["helm-3.17", "helm-4.1"] as const).flatMap((name) => {
  const binary = findTool(name);
  return binary === undefined ? [] : [{ name, binary }];
});

export const someAddress = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";

/** The least that a hub needs. */
export const hubValues = {
  chain: { rpcUrl: "https://rpc.example.com", treasury: someAddress, addresses: { settlement: someAddress } },
};

export const memberValues = {
  mode: "member",
  pool: { url: "https://pool.example.com:8443" },
  chain: { treasury: someAddress },
  members: [{ name: "gpu-a", node: "node-a", address: someAddress, existingSecret: "gpu-a-key" }],
};

export interface Rendered {
  readonly code: number;
  readonly objects: KubeObject[];
  readonly text: string;
  readonly error: string;
}

/** `helm template` with values as JSON, which is YAML. */
export function render(binary: string, values: object, args: readonly string[] = []): Rendered {
  const command = ["template", "inferium", chart, "--namespace", "inferium-system", "--values", "-", ...args];
  const { status, stdout, stderr } = spawnSync(binary, command, {
    input: JSON.stringify(values),
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  const objects = status === 0 ? parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject | null) : [];
  return { code: status ?? -1, objects: objects.filter((one) => one !== null), text: stdout, error: stderr };
}

export function lint(binary: string, values: object): { code: number; output: string } {
  const { status, stdout, stderr } = spawnSync(binary, ["lint", "--strict", chart, "--values", "-"], {
    input: JSON.stringify(values),
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status ?? -1, output: stdout + stderr };
}
