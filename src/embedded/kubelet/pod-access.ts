/**
 * A pod's own access to the API server: a kubeconfig file with its service account's token, given to its processes as
 * KUBECONFIG. The token is in a file of its own, rewritten before it expires. Effects: token requests, two files.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Pod } from "./core-types.ts";
import type { PodApi } from "./pod-api.ts";
import type { PodPaths } from "./pod-paths.ts";
import { writePrivateFile } from "./private-file.ts";
import type { TokenKeeper } from "./token-keeper.ts";

/** How a pod reaches the API server. */
export interface ApiAddress {
  readonly server: string;
  /** Left out: the system's authorities. */
  readonly caPem?: string;
}

export interface AccessInput {
  readonly pod: Pod;
  readonly paths: PodPaths;
  readonly api: PodApi;
  readonly tokens: TokenKeeper;
}

export interface PodAccess {
  /** False when the pod wants no token. */
  write(input: AccessInput): Promise<boolean>;
  refresh(input: AccessInput): Promise<void>;
}

const tokenSeconds = 3_600;

/** @param address undefined when pods get no access at all */
export function createPodAccess(address: ApiAddress | undefined): PodAccess {
  const writeToken = async (input: AccessInput) => {
    const token = await input.tokens.get({ expirationSeconds: tokenSeconds });
    await writePrivateFile(input.paths.token, token);
  };
  return {
    refresh: writeToken,
    write: async (input) => {
      if (address === undefined || !(await wantsToken(input))) return false;
      await writeToken(input);
      await writePrivateFile(input.paths.kubeconfig, buildKubeconfig(address, input));
      return true;
    },
  };
}

async function wantsToken({ pod, api }: AccessInput): Promise<boolean> {
  if (pod.spec.automountServiceAccountToken === false) return false;
  const name = pod.spec.serviceAccountName || "default";
  const account = await api.readServiceAccount(pod.metadata.namespace ?? "default", name);
  if (account !== undefined) return pod.spec.automountServiceAccountToken === true || account.automount;
  // Some servers make no default account in a new namespace; a pod that did not ask for one runs without.
  if (name === "default") return false;
  throw new InferiumError("CreateContainerConfigError", `serviceaccount "${name}" not found`, { disposition: "retry" });
}

/** JSON, which is YAML too. */
function buildKubeconfig(address: ApiAddress, { pod, paths }: AccessInput): string {
  const ca =
    address.caPem === undefined ? {} : { "certificate-authority-data": Buffer.from(address.caPem).toString("base64") };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster: { server: address.server, ...ca } }],
    users: [{ name: "pod", user: { tokenFile: paths.token } }],
    contexts: [{ name: "pod", context: { cluster: "cluster", user: "pod", namespace: pod.metadata.namespace } }],
    "current-context": "pod",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
