/** What snarkjs-backend.ts and snarkjs-process.ts say to each other. */
import type { Groth16Proof, VerifyingKey } from "./groth16.ts";
import type {
  BeaconFiles,
  ContributionFiles,
  KeyFiles,
  ProvingFiles,
  SetupFiles,
  StepFiles,
} from "./proving-backend.ts";

export type SnarkjsRequest =
  | ({ readonly kind: "setUp" } & SetupFiles)
  | ({ readonly kind: "startKey" } & KeyFiles)
  | ({ readonly kind: "checkSteps" } & StepFiles)
  | ({ readonly kind: "contribute" } & ContributionFiles)
  | ({ readonly kind: "applyBeacon" } & BeaconFiles)
  | { readonly kind: "exportKey"; readonly zkeyPath: string }
  | ({ readonly kind: "prove" } & ProvingFiles)
  | {
      readonly kind: "verify";
      readonly key: VerifyingKey;
      readonly signals: readonly string[];
      readonly proof: Groth16Proof;
    };

export type SnarkjsResult =
  | VerifyingKey
  | { readonly proof: Groth16Proof; readonly signals: readonly string[] }
  | boolean
  | string
  | readonly string[];

export type SnarkjsAnswer = { readonly result: SnarkjsResult } | { readonly error: string };
