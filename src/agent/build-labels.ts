/**
 * Labels of the node that the agent owns by server-side apply. GPU facts go under this project's own prefix, and only where
 * GPU feature discovery says nothing: written under `nvidia.com/` they would be read back as a second source that confirms
 * the first. Pure.
 */
import { labels } from "../api/v1alpha1/labels.ts";
import { isSimulated, type StatusInput } from "./build-status.ts";

export const factLabels = {
  product: "inferium.io/gpu.product",
  count: "inferium.io/gpu.count",
  memory: "inferium.io/gpu.memory",
} as const;

/** The tier is the hardware's own; an owner's override concerns one WorkerNode and not the node. */
export function buildLabels(input: StatusInput): Record<string, string> {
  return {
    [labels.tier]: input.capability.tier,
    [labels.simulated]: String(isSimulated(input)),
    ...buildFacts(input),
  };
}

function buildFacts({ observation, facts }: StatusInput): Record<string, string> {
  if (observation.kind !== "Read" || facts.discovery.product !== undefined) return {};
  const { gpus } = observation.reading;
  const smallest = gpus.toSorted((a, b) => a.memoryMiB - b.memoryMiB)[0];
  if (smallest === undefined) return {};
  return {
    [factLabels.product]: toLabelValue(smallest.product),
    [factLabels.count]: String(gpus.length),
    [factLabels.memory]: String(smallest.memoryMiB),
  };
}

/** At most 63 characters out of [A-Za-z0-9._-], the first and last of them alphanumeric. */
function toLabelValue(text: string): string {
  const legal = text.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(0, 63);
  return legal.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}
