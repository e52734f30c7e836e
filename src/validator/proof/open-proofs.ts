/**
 * All that a validator has to do with proofs, opened once: two processes of the backend, each started when it is first needed (one
 * proves, one checks, so that no check waits for a proof), and the store of proving keys. Called by run-validator.ts.
 */
import type { ProveDuty } from "../../pool/duty.ts";
import { ProofArtifactStore } from "../../zk/proving/artifact-store.ts";
import { InferenceProver } from "../../zk/proving/prove-inference.ts";
import { createSnarkjsBackend } from "../../zk/proving/snarkjs-backend.ts";
import { type CheckProof, createProofChecks, type ProofContext } from "./check-proof.ts";
import type { EndorseContext } from "./endorse-duty.ts";
import { ProverDesk, type ProverDeskOptions } from "./prover-desk.ts";

export interface ProofConfig {
  /** Folder of proving keys and circuits; proofs are checked and none are made where left out. */
  readonly artifactsDir: string | undefined;
  /** For one proof. */
  readonly timeoutMs: number;
  readonly maxMemoryBytes: number;
  /** Keys of one party's setup, who could forge proofs: for trials alone. */
  readonly allowDevelopmentSetup: boolean;
}

export interface Proofs extends EndorseContext {
  /** For batches: see ProofChecks.toCertify. */
  readonly checkCertified: CheckProof;
  prove(duty: ProveDuty): "Started" | "Running" | "Busy";
  close(): Promise<void>;
}

type Shared = Omit<ProverDeskOptions, "backend" | "allowDevelopmentSetup" | "prover" | "checkProof">;

export function openProofs(config: ProofConfig, shared: Shared): Proofs {
  const { timeoutMs, maxMemoryBytes, allowDevelopmentSetup, artifactsDir } = config;
  const backend = createSnarkjsBackend({ timeoutMs, maxMemoryBytes });
  const proving = createSnarkjsBackend({ timeoutMs, maxMemoryBytes });
  const context: ProofContext = { ...shared, backend, allowDevelopmentSetup };
  const { toEndorse: checkProof, toCertify: checkCertified } = createProofChecks(context);
  const prover =
    artifactsDir === undefined ? undefined : new InferenceProver(new ProofArtifactStore(artifactsDir), proving);
  const desk = new ProverDesk({ ...shared, ...context, checkProof, prover });
  return {
    ...{ client: shared.client, signer: shared.signer, domain: shared.domain, checkProof, checkCertified },
    prove: (duty) => desk.accept(duty),
    async close() {
      await desk.close();
      await Promise.all([backend.close(), proving.close()]);
    },
  };
}
