/** What the pool gives a worker to run, as it travels: the answer to a claim. No code here. */
import type { CallContentKind } from "../protocol/call-contents.ts";
import type { OpenedLeaf, WindowStatement } from "../protocol/call-window.ts";
import type { TrainingTerms } from "../protocol/training.ts";
import type { ClaimMessage } from "../protocol/typed-data.ts";

export interface ModelReference {
  readonly uri: string;
  readonly digest: string;
}

/** Tensors in the JSON form of `spec.input.inline`. */
export type InlineTensors = Readonly<
  Record<
    string,
    {
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly data?: readonly number[];
      readonly base64?: string;
    }
  >
>;

export interface InputReference {
  readonly inline?: InlineTensors;
  readonly uri?: string;
  readonly digest?: string;
  readonly steps?: {
    readonly count: number;
    readonly tensors: readonly string[];
    readonly state?: readonly { readonly input: string; readonly output: string }[];
  };
  /** Of the tensors only so many rows along axis 0, from one on: of those that are named, or of all. */
  readonly items?: { readonly from: number; readonly count: number; readonly tensors?: readonly string[] };
  /** The model is run once for each of so many calls, whose tensors are named `0/NAME`, `1/NAME`; so are the outputs. */
  readonly calls?: number;
}

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

export interface PolicyReference {
  readonly policy: "Exact" | "Tolerance" | "ZeroKnowledge" | "None";
  readonly tolerance?: Tolerance;
}

/** What the pods of a task run, and where Kubernetes may place them: `spec.template` with what else the task says of it. */
export interface PodReference {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly requests?: Readonly<Record<string, string>>;
  readonly resourceClaimTemplateName?: string;
  readonly tolerations?: readonly {
    readonly key?: string;
    readonly operator: "Exists" | "Equal";
    readonly value?: string;
    readonly effect?: string;
  }[];
  readonly priorityClassName?: string;
  readonly runtimeClassName?: string;
  readonly spreadTopologyKey?: string;
  readonly queueName?: string;
  /** Pods that run together. */
  readonly size: number;
  readonly startTimeoutSeconds: number;
  /** Tiers that a node may have. */
  readonly tiers: readonly string[];
  readonly gpus?: number;
  readonly migProfile?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** What a worker must run. */
export interface WorkAssignment {
  readonly namespace: string;
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly model: ModelReference;
  readonly input: InputReference;
  readonly verification: PolicyReference;
  readonly deadlineMs: number;
  /** For launchers, and for them alone. */
  readonly pod?: PodReference;
  readonly training?: TrainingTerms;
  /** To vouch for what was served, in place of running anything anew. */
  readonly calls?: ServedCalls;
}

/** A window of an agent's calls with those that were drawn; their inputs are the task's. */
export interface ServedCalls {
  readonly statement: WindowStatement;
  readonly opened: readonly OpenedLeaf[];
  /** What the callers got: tensors named `0/NAME` for the first of the drawn calls that were answered. */
  readonly output: InlineTensors;
  /** What the tensors of input and output are; the calls' own where left out. */
  readonly content?: CallContentKind;
}

export interface SignedClaim {
  readonly message: ClaimMessage;
  readonly signature: string;
}
