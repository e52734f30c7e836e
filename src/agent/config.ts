/** The agent's configuration, read once from the environment. What is wrong is said for all variables at once. */
import { readFile } from "node:fs/promises";
import { describeError, InferiumError } from "../base/errors.ts";
import { defaultTierThresholds, parseTierThresholds, type TierThresholds } from "../protocol/tier.ts";
import type { InspectionLevel } from "./decide-capability.ts";
import { readMember } from "./member-file.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface AgentConfig {
  readonly nodeName: string;
  readonly workerNodeName: string;
  /** 0x-hex of the key that signs this member's receipts or attestations. */
  readonly address: string;
  readonly role: "Worker" | "Validator" | "Both";
  /** Pod for the member whose worker has INFERIUM_EXECUTOR=pod. */
  readonly mode: "Pooled" | "Pod";
  readonly owner: string | undefined;
  readonly slots: number;
  readonly nvidiaSmi: NvidiaSmiConfig;
  /** Everything that nvidia-smi reports here is simulated, whatever the document says. */
  readonly simulated: boolean;
  /** Left out: the pod's service account. */
  readonly kubeconfigPath: string | undefined;
  readonly intervalMs: number;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly thresholds: TierThresholds;
  readonly minimumLevel: InspectionLevel;
}

export interface NvidiaSmiConfig {
  readonly command: string;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly environment: Readonly<Record<string, string>>;
}

const addressPattern = /^0x[0-9a-fA-F]{40}$/;
/** What nvidia-smi needs to be found and to find its library; no secret of the agent's is among it. */
const passedOn = ["PATH", "LD_LIBRARY_PATH", "NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"];

/** @throws InferiumError InvalidConfig */
export async function readAgentConfig(variables: Environment): Promise<AgentConfig> {
  const member = await readMember({
    path: variables.INFERIUM_MEMBERS_FILE,
    keysDir: variables.INFERIUM_MEMBER_KEYS_DIR,
    nodeName: variables.NODE_NAME,
  });
  const env = { ...variables, ...member };
  const reader = new EnvironmentReader(env);
  const nodeName = reader.required("NODE_NAME");
  const config: AgentConfig = {
    nodeName,
    workerNodeName: reader.text("INFERIUM_WORKERNODE_NAME") ?? nodeName,
    address: await readAddress(reader),
    role: reader.choice("INFERIUM_ROLE", ["Worker", "Validator", "Both"], "Worker"),
    mode: reader.choice("INFERIUM_EXECUTOR", ["Pooled", "Pod"], "Pooled"),
    owner: reader.matching("INFERIUM_OWNER", addressPattern, "a 0x address of 40 hex digits"),
    slots: reader.whole("INFERIUM_SLOTS", 1, { from: 1, to: 256 }),
    nvidiaSmi: readNvidiaSmiConfig(reader, env),
    simulated: ["1", "true"].includes(reader.choice("INFERIUM_SIMULATED", ["0", "1", "false", "true"], "0")),
    kubeconfigPath: reader.text("KUBECONFIG"),
    intervalMs: reader.whole("INFERIUM_AGENT_INTERVAL_SECONDS", 60, { from: 1, to: 3_600 }) * 1_000,
    healthHost: reader.text("INFERIUM_HEALTH_HOST") ?? "0.0.0.0",
    healthPort: reader.whole("INFERIUM_HEALTH_PORT", 8_081, { from: 0, to: 65_535 }),
    thresholds: reader.parsed("INFERIUM_TIER_THRESHOLDS", parseTierThresholds) ?? defaultTierThresholds,
    minimumLevel: reader.choice("INFERIUM_MINIMUM_LEVEL", ["Declared", "Inspected"], "Inspected"),
  };
  reader.throwProblems();
  return Object.freeze(config);
}

function readNvidiaSmiConfig(reader: EnvironmentReader, env: Environment): NvidiaSmiConfig {
  return {
    command: reader.text("INFERIUM_NVIDIA_SMI") ?? "nvidia-smi",
    timeoutMs: reader.whole("INFERIUM_NVIDIA_SMI_TIMEOUT_SECONDS", 30, { from: 1, to: 300 }) * 1_000,
    maxOutputBytes: 8 * 1024 * 1024,
    environment: Object.fromEntries(passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
  };
}

/** The agent needs no key, only its address; a file with the key will do where that is all there is. */
async function readAddress(reader: EnvironmentReader): Promise<string> {
  const address = reader.matching("INFERIUM_ADDRESS", addressPattern, "a 0x address of 40 hex digits");
  if (address !== undefined) return address;
  const path = reader.text("INFERIUM_KEY_FILE");
  if (path === undefined) return reader.problem("INFERIUM_ADDRESS or INFERIUM_KEY_FILE must be given");
  try {
    const key = (await readFile(path, "utf8")).trim();
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(key)) throw new Error("it holds no private key of 64 hex digits");
    const { computeAddress } = await import("ethers");
    return computeAddress(key.startsWith("0x") ? key : `0x${key}`);
  } catch (error) {
    return reader.problem(`INFERIUM_KEY_FILE names ${path}, which cannot be used: ${describeError(error)}`);
  }
}

/** Reads variables and collects what is wrong with them. An empty variable counts as absent. */
class EnvironmentReader {
  readonly #env: Environment;
  readonly #problems: string[] = [];

  constructor(env: Environment) {
    this.#env = env;
  }

  text(name: string): string | undefined {
    return this.#env[name]?.trim() || undefined;
  }

  required(name: string): string {
    return this.text(name) ?? this.problem(`${name} must be given`);
  }

  matching(name: string, pattern: RegExp, expected: string): string | undefined {
    const text = this.text(name);
    if (text !== undefined && !pattern.test(text)) this.problem(`${name} is "${text}"; expected ${expected}`);
    return text;
  }

  choice<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (found === undefined) this.problem(`${name} is "${text}"; expected one of ${choices.join(", ")}`);
    return found ?? fallback;
  }

  whole(name: string, fallback: number, bounds: { readonly from: number; readonly to: number }): number {
    const text = this.text(name);
    const value = text === undefined ? fallback : Number(text);
    if (Number.isInteger(value) && value >= bounds.from && value <= bounds.to) return value;
    this.problem(`${name} is "${text}"; expected a whole number from ${bounds.from} to ${bounds.to}`);
    return fallback;
  }

  parsed<T>(name: string, parse: (text: string) => T): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      this.problem(`${name}: ${describeError(error)}`);
      return undefined;
    }
  }

  problem(message: string): string {
    this.#problems.push(message);
    return "";
  }

  throwProblems(): void {
    if (this.#problems.length === 0) return;
    const message = `The agent's configuration cannot be used: ${this.#problems.join("; ")}.`;
    throw new InferiumError("InvalidConfig", message, { disposition: "fatal" });
  }
}
