/**
 * GPUs of AMD and Intel as their own device plugins and labellers describe them: labels and capacity are the only sources
 * here, so what is read suffices for a tier and for nothing that asks for a certain GPU. Pure.
 * Names of the labels: ROCm's k8s-node-labeller and the NFD rules of Intel's device plugins; Intel's labels give no memory,
 * which is looked up in Intel's data sheets.
 */
import { parseWhole } from "./parse-whole.ts";

export interface OtherGpus {
  readonly vendor: "AMD" | "Intel";
  readonly product: string;
  /** Of one GPU; undefined where the labels do not lead to it. */
  readonly memoryMiB: number | undefined;
  /** As the labels count them, or the capacity where they do not. */
  readonly count: number;
  /** The device plugin's count; undefined where there is none. */
  readonly capacityUnits: number | undefined;
}

type Values = Readonly<Record<string, string>>;

/** MiB of one GPU. */
const intelMemory: Values = { Max_1550: "131072", Max_1100: "49152", Flex_170: "16384", Flex_140: "6144" };

export function readOtherGpus(labels: Values, capacity: Values): OtherGpus | undefined {
  return readAmd(labels, capacity) ?? readIntel(labels, capacity);
}

function readAmd(labels: Values, capacity: Values): OtherGpus | undefined {
  const value = (name: string) => labels[`amd.com/gpu.${name}`] ?? labels[`beta.amd.com/gpu.${name}`];
  const product = value("product-name") ?? value("device-id");
  const capacityUnits = parseWhole(capacity["amd.com/gpu"]);
  if (product === undefined && capacityUnits === undefined) return undefined;
  const [, size, unit = ""] = /^(\d{1,6})([GM])i?B?$/.exec(value("vram") ?? "") ?? [];
  const memoryMiB = size === undefined ? undefined : Number(size) * (unit === "G" ? 1024 : 1);
  return { vendor: "AMD", product: product ?? "AMD GPU", memoryMiB, count: capacityUnits ?? 0, capacityUnits };
}

function readIntel(labels: Values, capacity: Values): OtherGpus | undefined {
  const value = (name: string) => labels[`gpu.intel.com/${name}`];
  const product = value("product") ?? value("family");
  const units = ["gpu.intel.com/i915", "gpu.intel.com/xe"].map((name) => parseWhole(capacity[name]));
  const known = units.filter((count) => count !== undefined);
  const capacityUnits = known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
  if (product === undefined && capacityUnits === undefined) return undefined;
  const memoryMiB = parseWhole(
    product !== undefined && Object.hasOwn(intelMemory, product) ? intelMemory[product] : undefined,
  );
  const count = parseWhole(value("device.count")) ?? capacityUnits ?? 0;
  return { vendor: "Intel", product: product ?? "Intel GPU", memoryMiB, count, capacityUnits };
}
