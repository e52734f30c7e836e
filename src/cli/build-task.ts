/** An InferenceTask out of the flags of `inferium submit`. What a flag leaves out is left to the API's defaults. Pure. */
import type { InferenceTaskSpec } from "../api/v1alpha1/generated/inferencetasks.ts";
import { apiVersion } from "../api/v1alpha1/meta.ts";
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { isTier } from "../protocol/tier.ts";

/** As commander hands them over; numbers are parsed already. */
export interface SubmitFlags {
  readonly name?: string;
  readonly type?: string;
  readonly tier?: string;
  readonly policy?: string;
  readonly validators?: number;
  readonly quorum?: number;
  readonly absolute?: number;
  readonly relative?: number;
  readonly reward?: string;
  readonly requester?: string;
  /** Name of the Secret with the requester's signed order. */
  readonly order?: string;
  readonly priority?: number;
  readonly queue?: string;
  readonly timeout?: number;
  readonly deadline?: number;
  readonly retries?: number;
  /** Inferences of a batch, and into how many shards they are cut. */
  readonly items?: number;
  readonly parallelism?: number;
}

export interface TaskSources {
  readonly namespace: string;
  readonly model: InferenceTaskSpec["model"];
  readonly input: InferenceTaskSpec["input"];
  /** Makes a name unique where none is given. */
  readonly suffix: string;
}

/** What is created: fields with a default may be missing. */
export type NewTask = Omit<InferenceTask, "spec" | "status"> & { readonly spec: Partial<InferenceTaskSpec> };

const types = ["Inference", "Benchmark", "Training", "Agent", "Leaderboard"] as const;
const policies = ["Exact", "Tolerance", "ZeroKnowledge", "None"] as const;

/** @throws InferiumError InvalidUsage */
export function buildTask(flags: SubmitFlags, { namespace, model, input, suffix }: TaskSources): NewTask {
  const { type, tier, reward, requester, order, priority, queue, timeout, deadline, retries } = flags;
  const spec: Partial<InferenceTaskSpec> = {
    ...given("type", type === undefined ? undefined : requireOneOf("--type", type, types)),
    ...given("tier", tier === undefined ? undefined : requireTier(tier)),
    model,
    input: flags.items === undefined ? input : { ...input, items: { from: 0, count: flags.items } },
    ...given("verification", buildVerification(flags)),
    ...given("reward", reward),
    ...given("requester", requester),
    ...given("orderRef", order === undefined ? undefined : { name: order }),
    ...given("priority", priority),
    ...given("queue", queue),
    ...given("timeoutSeconds", timeout),
    ...given("deadlineSeconds", deadline),
    ...given("retries", retries),
    ...given("parallelism", flags.parallelism),
  };
  checkPayment(flags);
  return { apiVersion, kind: "InferenceTask", metadata: { name: flags.name ?? `task-${suffix}`, namespace }, spec };
}

function given<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}

function requireOneOf<const T extends string>(option: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
  if (found !== undefined) return found;
  throw new InferiumError("InvalidUsage", `${option} is "${value}"; expected one of ${choices.join(", ")}.`);
}

function requireTier(value: string) {
  const tier = `${value.slice(0, 1).toUpperCase()}${value.slice(1).toLowerCase()}`;
  if (isTier(tier)) return tier;
  throw new InferiumError("InvalidUsage", `--tier is "${value}"; expected one of High, Mid, Low.`);
}

/** Left out as a whole, the API's default holds; given in part, the rest is filled with the same defaults. */
function buildVerification(flags: SubmitFlags): InferenceTaskSpec["verification"] | undefined {
  const { validators, quorum, absolute, relative } = flags;
  const hasTolerance = absolute !== undefined || relative !== undefined;
  if (flags.policy === undefined && validators === undefined && quorum === undefined && !hasTolerance) return undefined;
  const policy = flags.policy ? requireOneOf("--policy", flags.policy, policies) : hasTolerance ? "Tolerance" : "Exact";
  if (policy === "Tolerance" && !hasTolerance) {
    throw new InferiumError(
      "InvalidUsage",
      "--policy Tolerance needs --absolute or --relative, the bounds of a value.",
    );
  }
  const panel = validators ?? 3;
  return {
    policy,
    validators: panel,
    quorum: quorum ?? Math.floor(panel / 2) + 1,
    ...(hasTolerance ? { tolerance: { absolute: absolute ?? 0, relative: relative ?? 0 } } : {}),
  };
}

function checkPayment({ reward, requester, order }: SubmitFlags): void {
  if (reward === undefined || (requester !== undefined && order !== undefined)) return;
  const message = "--reward needs --requester (the address that pays) and --order (the Secret with its signed order).";
  throw new InferiumError("InvalidUsage", message);
}
