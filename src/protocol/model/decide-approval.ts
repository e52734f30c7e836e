/**
 * What the validators' findings on a model come to: a quorum of equal ones decides, whatever they say of it. One that cannot say
 * anything has not voted. Pure.
 */
export interface FindingVote {
  readonly validator: string;
  /** Undefined where it could not look at the model. */
  readonly findingsHash: string | undefined;
  /** Why it could not. */
  readonly reason?: string;
  readonly message?: string;
}

export type ApprovalStep =
  | { readonly step: "Open" }
  | { readonly step: "Agreed"; readonly findingsHash: string }
  | { readonly step: "NoQuorum"; readonly reason: string; readonly message: string };

export interface ApprovalPanel {
  readonly members: number;
  readonly quorum: number;
}

export function decideApproval(votes: readonly FindingVote[], { members, quorum }: ApprovalPanel): ApprovalStep {
  const counts = new Map<string, number>();
  for (const { findingsHash } of votes)
    if (findingsHash !== undefined) counts.set(findingsHash, (counts.get(findingsHash) ?? 0) + 1);
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  if (best && best[1] >= quorum) return { step: "Agreed", findingsHash: best[0] };
  if ((best?.[1] ?? 0) + members - votes.length >= quorum) return { step: "Open" };
  if (counts.size > 1) {
    const message = `${votes.length} of ${members} validators came to ${counts.size} different findings; ${quorum} equal ones are needed.`;
    return { step: "NoQuorum", reason: "FindingsDiffer", message };
  }
  const unable = votes.find(({ findingsHash }) => findingsHash === undefined);
  return { step: "NoQuorum", reason: unable?.reason ?? "NoQuorum", message: unable?.message ?? "Too few answered." };
}
