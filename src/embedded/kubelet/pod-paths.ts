/** Where a kubelet keeps the files of a pod. Names from the API server are checked before they become paths. Pure. */
import { join } from "node:path";
import { InferiumError } from "../../base/errors.ts";

export interface PodPaths {
  readonly root: string;
  readonly kubeconfig: string;
  readonly token: string;
  volume(name: string): string;
  /** Working directory of a container that names none. */
  container(name: string): string;
  terminationMessage(container: string): string;
  /** @param run 0 for the first start */
  log(container: string, run: number): string;
}

export function podsDirectory(rootDir: string): string {
  return join(rootDir, "pods");
}

export function createPodPaths(rootDir: string, podUid: string): PodPaths {
  const root = join(podsDirectory(rootDir), checkName(podUid));
  return {
    root,
    kubeconfig: join(root, "access", "kubeconfig"),
    token: join(root, "access", "token"),
    volume: (name) => join(root, "volumes", checkName(name)),
    container: (name) => join(root, "containers", checkName(name)),
    terminationMessage: (name) => join(root, "containers", `${checkName(name)}.termination-log`),
    log: (container, run) => join(root, "logs", checkName(container), `${run}.log`),
  };
}

function checkName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) && !name.includes("..")) return name;
  throw new InferiumError("BadName", `'${name}' cannot name a directory: expected letters, digits, '-', '_' and '.'.`);
}
