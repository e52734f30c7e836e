/** What makes a worker a launcher, from its environment. The role's config.ts passes the environment in. */
import { type EnvironmentReader, invalidVariable } from "../../base/environment.ts";
import type { PodDefaults } from "./build-job.ts";

export interface LauncherConfig {
  /** Of the API server; the pod's service account where left out. */
  readonly kubeconfigPath: string | undefined;
  /** Where the pods are made; nothing else should be there. */
  readonly namespace: string;
  readonly defaults: PodDefaults;
  /** That tasks may name beside the launcher's own. */
  readonly images: readonly string[];
  readonly pollMs: number;
}

/** Undefined for a worker that runs its tasks itself. @throws InferiumError InvalidConfiguration */
export function readLauncherConfig(env: EnvironmentReader): LauncherConfig | undefined {
  const executor = env.matching("INFERIUM_EXECUTOR", /^(pooled|pod)$/i, "pooled or pod");
  if (executor?.toLowerCase() !== "pod") return undefined;
  return {
    kubeconfigPath: env.text("KUBECONFIG"),
    namespace: env.required("INFERIUM_POD_NAMESPACE"),
    defaults: parseDefaults(env.required("INFERIUM_POD_DEFAULTS")),
    images: env.list("INFERIUM_POD_IMAGES") ?? [],
    pollMs: env.whole("INFERIUM_POD_POLL_MS", 1_000, { min: 50, max: 60_000 }),
  };
}

const known: ReadonlySet<string> = new Set([
  ...["image", "imagePullPolicy", "imagePullSecrets", "schedulerName", "tolerations", "priorityClassName"],
  ...["runtimeClassName", "env", "securityContext"],
]);

function parseDefaults(text: string): PodDefaults {
  const expected = `a JSON object with image, and of the others only ${[...known].slice(1).join(", ")}`;
  const wrong = () => invalidVariable("INFERIUM_POD_DEFAULTS", text, expected);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong();
  const { image } = value as { image?: unknown };
  if (typeof image !== "string" || image === "" || Object.keys(value).some((key) => !known.has(key))) throw wrong();
  return value as PodDefaults;
}
