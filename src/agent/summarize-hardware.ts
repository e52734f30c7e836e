/** One line about a node's hardware, for people: the GPU column of `kubectl get wn`. Pure. */
import type { Capability, Observation } from "./decide-capability.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { HardwareReading } from "./nvidia-smi/reading.ts";

/** The API's bound on the field. */
const maxLength = 256;
const simulatedSuffix = " (simulated)";

interface Summarized {
  readonly observation: Observation;
  readonly capability: Capability;
  readonly facts: Pick<NodeFacts, "otherGpus" | "faults">;
}

export function summarizeHardware(summarized: Summarized, simulated: boolean): string {
  const suffix = simulated ? simulatedSuffix : "";
  const text = describe(summarized);
  const room = maxLength - suffix.length;
  return `${text.length > room ? `${text.slice(0, room - 1)}…` : text}${suffix}`;
}

function describe({ observation, capability: { objections }, facts }: Summarized): string {
  if (observation.kind === "Unreadable") return `unreadable: ${observation.message}`;
  const hardware = observation.kind === "NoGpu" ? describeOther(facts) : describeGpus(observation.reading, facts);
  return objections.length === 0 ? hardware : `${hardware}; disputed: ${objections.join("; ")}`;
}

function describeOther({ otherGpus }: Summarized["facts"]): string {
  if (otherGpus === undefined) return "no GPU";
  const { vendor, product, memoryMiB, count } = otherGpus;
  return `${count}x ${vendor} ${product}${memoryMiB === undefined ? "" : `, ${memoryMiB} MiB`}, by labels alone`;
}

function describeGpus({ gpus }: HardwareReading, { faults }: Summarized["facts"]): string {
  if (gpus.length === 0) return "no GPU that can be believed";
  const groups = Map.groupBy(gpus, ({ product, memoryMiB }) => `${product}, ${memoryMiB} MiB`);
  const kinds = [...groups].map(([kind, members]) => `${members.length}x ${kind}`);
  const instances = gpus.reduce((sum, gpu) => sum + gpu.migInstances.length, 0);
  const unhealthy = gpus.filter((gpu) => faults.length + gpu.faults.length > 0).length;
  return [
    kinds.join(" + "),
    ...(instances > 0 ? [`${instances} MIG instances`] : []),
    ...(unhealthy > 0 ? [`${unhealthy} unhealthy`] : []),
  ].join(", ");
}
