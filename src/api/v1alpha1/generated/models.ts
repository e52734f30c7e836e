// Generated from crds/models.yaml by `npm run generate`. Do not edit.

/**
 * Where the model is, and under which terms. The file itself is immutable.
 */
export interface ModelSpec {
/**
 * Where validators fetch it: http, https or file, without credentials.
 */
uri: string
/**
 * sha256 of the file.
 */
digest: string
/**
 * Format of the file.
 */
format: "onnx"
/**
 * SPDX license expression, such as Apache-2.0 or MIT OR CC-BY-4.0. Nobody checks that it is true.
 */
license?: string
/**
 * For people.
 */
description?: string
/**
 * Inputs that make sense to the model, as a safetensors file. Validators run it on them to tell how far runtimes differ; without them on numbers drawn by its signature, which not every model can be run on.
 */
sample?: {
/**
 * Where validators fetch it.
 */
uri: string
/**
 * sha256 of the file.
 */
digest: string
}
}

/**
 * What validators found. Written by the operator alone.
 */
export interface ModelStatus {
/**
 * Generation of the spec that this status speaks of.
 */
observedGeneration: number
/**
 * Scanned, Approved, Calibrated, and Ready, Reconciling and Stalled in sum.
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
 * The findings in one line.
 */
summary?: string
/**
 * Verification policies that results of this model can be judged by.
 */
policies?: ("Exact" | "Tolerance" | "ZeroKnowledge")[]
/**
 * What a quorum of validators found in the file.
 */
findings?: {
/**
 * Size of the file.
 */
bytes: number
/**
 * Version of ONNX's own format.
 */
irVersion?: number
/**
 * Nodes of all its graphs.
 */
nodes: number
/**
 * Numbers in its constants.
 */
parameters: number
/**
 * Operator sets that its nodes use.
 */
opsets: {
/**
 * ai.onnx is ONNX's own.
 */
domain: string
/**
 * Version that the model was made for.
 */
version: number
}[]
/**
 * Operators that it uses, with how often.
 */
operators: {
/**
 * With its domain where that is not ONNX's own.
 */
name: string
/**
 * Nodes of it.
 */
count: number
}[]
/**
 * What it takes, in its order.
 */
inputs: {
/**
 * Name of the tensor.
 */
name: string
/**
 * Element type and shape, such as uint8[N,784].
 */
type: string
}[]
/**
 * What it gives, in its order.
 */
outputs: {
/**
 * Name of the tensor.
 */
name: string
/**
 * Element type and shape, such as uint8[N,784].
 */
type: string
}[]
/**
 * It computes with integers alone, so that every runtime gives the same bits.
 */
integerOnly: boolean
/**
 * Weights of its 8-bit products: within 7 bits; beyond them, where some processors saturate; not constant, so that nobody knows; or none.
 */
weights: ("SevenBits" | "EightBits" | "NotConstant" | "None")
/**
 * Operators whose results no second run gives again.
 */
nondeterministic?: string[]
/**
 * What speaks against it; empty where nothing does.
 */
problems: {
/**
 * A word for machines.
 */
reason: string
/**
 * A sentence for people.
 */
message: string
}[]
}
/**
 * Who found it, each with its signature over the digest and the findings.
 */
approval?: {
/**
 * Generation of the spec that was checked.
 */
generation: number
/**
 * When the quorum was reached.
 */
at: string
/**
 * When it is checked again.
 */
expiresAt: string
/**
 * What was signed of the findings: keccak256 of their canonical JSON, of problems the reasons alone.
 */
findingsHash: string
/**
 * Equal findings that it took.
 */
quorum: number
/**
 * Those with the finding that counts.
 */
validators: {
/**
 * Its address.
 */
address: string
/**
 * Of the message ModelFinding.
 */
signature: string
/**
 * What it loaded the model in.
 */
runtime: string
}[]
}
/**
 * How far results of two runtimes differed on the same inputs. Under policy Tolerance nobody is slashed for a difference of two runtimes that are not here, or for one of at most four times what is.
 */
calibration?: {
/**
 * A runtime, as receipts name it.
 */
first: string
/**
 * The same again where two validators had it.
 */
second: string
/**
 * Largest difference of two values.
 */
maxAbsolute: number
/**
 * Largest difference over the value that was expected.
 */
maxRelative: number
/**
 * Inputs that both ran.
 */
samples: number
}[]
/**
 * Circuits that the chain's ModelRegistry has for it, by which results are proven under policy ZeroKnowledge.
 */
circuits?: {
/**
 * Rows of input that one proof covers.
 */
rows: number
/**
 * sha256 of the circuit.
 */
r1csDigest: string
/**
 * sha256 of the key that proofs are checked with.
 */
verifyingKeyDigest: string
/**
 * Its keys were made by one party, who could forge proofs.
 */
development: boolean
}[]
/**
 * When it is looked at again, where no quorum was found.
 */
retryAt?: string
/**
 * Checks in a row that came to nothing.
 */
attempts?: number
}
