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
 * How results are checked.
 */
policy: ("Exact" | "Tolerance" | "ZeroKnowledge")
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
 * Ready once decided; Proven says whether a proof decided, or why it did not.
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
 * The zero-knowledge proof that decided, with what it shows. Absent where the votes decided. Anybody who has the model, the input and the output can rebuild the public signals.
 */
proof?: {
/**
 * Address of the validator that made it.
 */
prover: string
/**
 * SHA-256 of the model.
 */
modelDigest: string
/**
 * Rows of input that it covers.
 */
rows: number
/**
 * SHA-256 of the circuit (r1cs), as the chain's ModelRegistry holds it.
 */
circuitDigest: string
/**
 * SHA-256 of the words of the verifying key.
 */
verifyingKeyDigest: string
/**
 * Opens the commitment to the input; decimal.
 */
salt: string
/**
 * Commitment to the input, result and task as decimals.
 */
publicSignals: string[]
/**
 * The proof as the chain takes it, A, B and C as decimals.
 */
words: string[]
/**
 * Hash of what is proven; what validators endorse and the task's leaf holds.
 */
statementHash: string
/**
 * Time that the proof took.
 */
proveMs?: number
/**
 * The keys come from a setup for development, whose maker could forge proofs.
 */
developmentSetup?: boolean
}
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
state: ("Pending" | "Committed" | "Revealed" | "Endorsed" | "Abstained" | "Missed")
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
 * Its signature over the proof that it checked, which stakes its bond.
 */
endorsement?: string
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
