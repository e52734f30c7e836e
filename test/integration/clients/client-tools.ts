/**
 * The unmodified clients that these tests drive. `.ci/client-tools` brings them into a folder outside the tree; a test whose
 * client is not there skips itself, and the reason is printed.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const folder = process.env.INFERIUM_TOOLS ?? join(homedir(), ".cache", "inferium-tools");

export type ClientTool =
  | "kubectl-1.31"
  | "kubectl-1.33"
  | "kubectl-1.35"
  | "helm-3.17"
  | "helm-4.1"
  | "kubernetes-fluent-client-3.11.11"
  | "tritonclient-2.73.0";

/** `undefined` where the client is not on this machine. */
export function findTool(name: ClientTool): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  console.warn(`${name} is not in ${folder}: its tests are skipped. Run .ci/client-tools to bring it.`);
  return undefined;
}
