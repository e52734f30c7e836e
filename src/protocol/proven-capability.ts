/**
 * What a member's hardware counts for: the highest rung of Declared, Inspected, Challenged, Attested that holds, and no more.
 * Ordered checks with one reason each, the first that speaks against it decides. Called by the operator for every claim and
 * for the condition CapabilityProven. Pure.
 */
export type CapabilityLevel = "Declared" | "Inspected" | "Challenged" | "Attested";

/** As the member's agent has it. */
export interface ClaimedCapability {
  readonly level: CapabilityLevel;
  /** Milliseconds since the epoch; left out where it does not expire. */
  readonly expiresAtMs?: number;
  /** What speaks against the reading, in the agent's words. */
  readonly problems: readonly string[];
}

/** Another worker has the same GPU, and had it first. */
export interface GpuTwin {
  readonly uuid: string;
  readonly worker: string;
}

export interface ProvenCapability {
  /** Takes work at all. */
  readonly holds: boolean;
  readonly reason:
    | "Declared"
    | "Inspected"
    | "Challenged"
    | "Attested"
    | "NotRead"
    | "Disputed"
    | "Expired"
    | "DuplicateGpu";
  /** A sentence for people. */
  readonly message: string;
}

export interface CapabilityInput {
  /** Undefined before the agent has read anything. */
  readonly claimed: ClaimedCapability | undefined;
  readonly twin: GpuTwin | undefined;
  readonly nowMs: number;
}

export function decideProven({ claimed, twin, nowMs }: CapabilityInput): ProvenCapability {
  if (claimed === undefined) return fails("NotRead", "No agent has read its hardware yet.");
  if (twin !== undefined) {
    const said = `Its GPU ${twin.uuid} is worker ${twin.worker}'s, which had it first.`;
    return fails("DuplicateGpu", `${said} One GPU serves one worker: remove one of the two.`);
  }
  if (claimed.level === "Declared") {
    const [problem] = claimed.problems;
    if (problem === undefined)
      return fails("Declared", "Nothing but nvidia-smi speaks of its hardware: no second source agrees.");
    return fails("Disputed", `Its hardware is not believed: ${claimed.problems.join("; ")}.`);
  }
  if (claimed.expiresAtMs !== undefined && claimed.expiresAtMs <= nowMs) {
    return fails("Expired", `Its capability was ${claimed.level} and has expired; it must be proven again.`);
  }
  return { holds: true, reason: claimed.level, message: `Its capability level is ${claimed.level}.` };
}

function fails(reason: ProvenCapability["reason"], message: string): ProvenCapability {
  return { holds: false, reason, message };
}
