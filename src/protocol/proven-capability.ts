/**
 * What a member's hardware counts for: the highest rung of Declared, Inspected, Challenged, Attested that holds, and no more.
 * Ordered checks with one reason each, the first that speaks against it decides. Called by the operator for every claim and
 * for the condition CapabilityProven. Pure.
 *
 *   Declared    one source, or sources that disagree: no work
 *   Inspected   the sources on the node agree; all that a provider says of its own machine can go no further
 *   Challenged  it has done seeded work of the claimed size in the claimed time, and a validator found the result right
 *   Attested    and the GPUs' own keys, certified by their maker, have signed what they measure, for that challenge
 */
export const capabilityLevels = ["Declared", "Inspected", "Challenged", "Attested"] as const;
export type CapabilityLevel = (typeof capabilityLevels)[number];

/** As the member's agent has it. */
export interface ClaimedCapability {
  readonly level: CapabilityLevel;
  /** Milliseconds since the epoch; left out where it does not expire. */
  readonly expiresAtMs?: number;
  /** What speaks against the reading, in the agent's words. */
  readonly problems: readonly string[];
  /** It says that its hardware is played back. */
  readonly simulated: boolean;
  /** Healthy ones, or a tier that labels alone give it. */
  readonly hasGpus: boolean;
}

/** Another worker has the same GPU, and had it first. */
export interface GpuTwin {
  readonly uuid: string;
  readonly worker: string;
}

/** What came of the last challenge of the hardware as it is now. */
export interface ChallengeFinding {
  readonly outcome: ChallengeOutcome;
  /** Evidence that leads to a trusted root came with the answer, for each of the GPUs. */
  readonly attested: boolean;
  /** How many GPUs it was about; 0 for one of a machine without any, which proves nothing of a GPU. */
  readonly gpus: number;
  /** Only of one that was passed; what was failed stands until another is passed. */
  readonly expiresAtMs: number;
  /** For people. */
  readonly message: string;
}

/** Failed: no answer, one that came too late, or word that the work cannot be done there. Wrong: a result that is not it. */
export type ChallengeOutcome = "Passed" | "Failed" | "Wrong";

export interface ProofPolicy {
  /** What a GPU must be proven to, to count for anything. */
  readonly minimumLevel: "Inspected" | "Challenged";
  /** Whether hardware that says of itself that it is simulated counts as if it were there. For trials on one machine. */
  readonly acceptSimulated: boolean;
}

export const defaultProofPolicy: ProofPolicy = { minimumLevel: "Inspected", acceptSimulated: false };

export type ProofReason =
  | CapabilityLevel
  | "NotRead"
  | "DuplicateGpu"
  | "Disputed"
  | "Expired"
  | "WrongResult"
  | "ChallengeFailed"
  | "NotChallenged"
  | "Simulated";

export interface ProvenCapability {
  /** It takes work at all. */
  readonly holds: boolean;
  readonly level: CapabilityLevel;
  /** Its GPUs count; else it is worth no more than a machine without any, tier Low. */
  readonly gpusCount: boolean;
  readonly reason: ProofReason;
  /** A sentence for people. */
  readonly message: string;
}

export interface CapabilityInput {
  /** Undefined before the agent has read anything. */
  readonly claimed: ClaimedCapability | undefined;
  readonly twin: GpuTwin | undefined;
  readonly challenge: ChallengeFinding | undefined;
  readonly policy: ProofPolicy;
  readonly nowMs: number;
}

export function decideProven(input: CapabilityInput): ProvenCapability {
  const { claimed, policy, nowMs } = input;
  // GPUs that only labels speak of, as those of other vendors, are not challenged.
  const challenge = claimed?.hasGpus && input.challenge?.gpus === 0 ? undefined : input.challenge;
  const objection = claimed === undefined ? notRead : findObjection(claimed, { ...input, challenge });
  if (objection !== undefined || claimed === undefined)
    return { holds: false, level: "Declared", gpusCount: false, ...(objection ?? notRead) };
  if (challenge?.outcome === "Failed" && claimed.hasGpus) return asMachine("ChallengeFailed", challenge.message);
  if (challenge?.outcome === "Passed" && challenge.expiresAtMs > nowMs) {
    const level = challenge.attested ? "Attested" : "Challenged";
    return { holds: true, level, gpusCount: true, reason: level, message: challenge.message };
  }
  if (!claimed.hasGpus) return { ...inspected, message: "By every source it has no healthy GPU." };
  if (claimed.simulated && !policy.acceptSimulated) {
    return asMachine("Simulated", "Its hardware is simulated, and this pool counts no simulated hardware.");
  }
  if (!claimed.simulated && policy.minimumLevel === "Challenged") {
    const since = challenge === undefined ? "has not been challenged yet" : "passed its challenge too long ago";
    return asMachine("NotChallenged", `Its hardware ${since}: until it passes one, its GPUs do not count.`);
  }
  return inspected;
}

const inspected: ProvenCapability = {
  ...{ holds: true, level: "Inspected", gpusCount: true, reason: "Inspected" },
  message: "The sources on its node agree on its hardware.",
};

function asMachine(reason: ProofReason, message: string): ProvenCapability {
  return { holds: true, level: "Inspected", gpusCount: false, reason, message };
}

type Objection = Pick<ProvenCapability, "reason" | "message">;

const notRead: Objection = { reason: "NotRead", message: "No agent has read its hardware yet." };

/** Why it is given no work at all. What an agent says above Inspected is not its to say, and counts as Inspected. */
function findObjection(
  claimed: ClaimedCapability,
  { twin, challenge, nowMs }: Omit<CapabilityInput, "claimed">,
): Objection | undefined {
  if (twin !== undefined) {
    const said = `Its GPU ${twin.uuid} is worker ${twin.worker}'s, which had it first.`;
    return { reason: "DuplicateGpu", message: `${said} One GPU serves one worker: remove one of the two.` };
  }
  if (claimed.level === "Declared" && claimed.problems.length > 0) {
    return { reason: "Disputed", message: `Its hardware is not believed: ${claimed.problems.join("; ")}.` };
  }
  if (claimed.level === "Declared") {
    const message = "Nothing but nvidia-smi speaks of its hardware: no second source agrees.";
    return { reason: "Declared", message };
  }
  if (claimed.expiresAtMs !== undefined && claimed.expiresAtMs <= nowMs) {
    return { reason: "Expired", message: `It was ${claimed.level} and that has expired; it must be shown again.` };
  }
  return challenge?.outcome === "Wrong" ? { reason: "WrongResult", message: challenge.message } : undefined;
}
