// Generated from crds/validations.yaml by `npm run generate`. Do not edit.

/**
 * What is judged and by whom. Immutable.
 */
export interface ValidationSpec {
/**
 * The receipts of one policy and panel that are judged together.
 */
receipts: {
/**
 * Name of the InferenceTask.
 */
task: string
/**
 * UID of the InferenceTask.
 */
uid: string
/**
 * Number of the attempt.
 */
attempt: number
/**
 * Address of the worker.
 */
worker: string
/**
 * EIP-712 digest of the receipt.
 */
digest: string
}[]
/**
 * Number of receipts.
 */
receiptCount: number
/**
 * How results are compared.
 */
policy: ("Exact" | "Tolerance")
/**
 * Seed of the draw: hash of the receipts and of a block after they were committed.
 */
seed: string
/**
 * The block that the seed comes from.
 */
seedBlock?: number
/**
 * The panel.
 */
validators: {
/**
 * Name of the WorkerNode.
 */
name: string
/**
 * Its address.
 */
address: string
/**
 * Its owner.
 */
owner?: string
/**
 * Its node.
 */
nodeName?: string
}[]
/**
 * Votes of one kind that decide.
 */
quorum: number
/**
 * 1 for the first panel and 2 for the larger one after an inconclusive vote.
 */
round: number
/**
 * When votes that are missing count as missed.
 */
deadline: string
}

/**
 * The votes and what follows from them.
 */
export interface ValidationStatus {
/**
 * Generation of the spec that this status speaks of.
 */
observedGeneration: number
/**
 * Where the vote stands.
 */
phase: ("Committing" | "Revealing" | "Decided")
/**
 * Receipts accepted.
 */
accepted?: number
/**
 * Receipts rejected.
 */
rejected?: number
/**
 * Median time that a validator took.
 */
overheadMs?: number
/**
 * Ready once decided.
 */
conditions?: {
/**
 * Name of the condition.
 */
type: string
/**
 * Whether it holds.
 */
status: ("True" | "False" | "Unknown")
/**
 * Generation it was computed from.
 */
observedGeneration?: number
/**
 * When status last changed.
 */
lastTransitionTime: string
/**
 * A word for machines.
 */
reason: string
/**
 * A sentence for people.
 */
message: string
}[]
/**
 * Verdicts in the order of the receipts.
 */
verdicts?: ("Accepted" | "Rejected" | "Inconclusive")[]
/**
 * What each validator of the panel did.
 */
validators?: {
/**
 * Name of the WorkerNode.
 */
name?: string
/**
 * Its address.
 */
address: string
/**
 * What it did.
 */
state: ("Pending" | "Committed" | "Revealed" | "Abstained" | "Missed")
/**
 * Its votes in the order of the receipts.
 */
votes?: ("Accept" | "Reject" | "Abstain")[]
/**
 * Digests of what it computed in the order of the receipts.
 */
outputDigests?: string[]
/**
 * Merkle root of its votes.
 */
votesRoot?: string
/**
 * Its signed attestation of that root.
 */
signature?: string
/**
 * Time it took.
 */
overheadMs?: number
/**
 * Why it abstained or rejected.
 */
message?: string
}[]
}
