/** The part of snarkjs that src/zk uses; the package has no types of its own. */
declare module "snarkjs" {
  export interface SnarkjsProof {
    readonly pi_a: readonly string[];
    readonly pi_b: readonly (readonly string[])[];
    readonly pi_c: readonly string[];
    readonly protocol: string;
    readonly curve: string;
  }
  export interface SnarkjsVerifyingKey {
    readonly protocol: string;
    readonly curve: string;
    readonly nPublic: number;
    readonly vk_alpha_1: readonly string[];
    readonly vk_beta_2: readonly (readonly string[])[];
    readonly vk_gamma_2: readonly (readonly string[])[];
    readonly vk_delta_2: readonly (readonly string[])[];
    readonly IC: readonly (readonly string[])[];
  }
  export interface SnarkjsLogger {
    info(line: string): void;
    debug(line: string): void;
    warn(line: string): void;
    error(line: string): void;
  }
  export const groth16: {
    prove(zkey: string, witness: string): Promise<{ proof: SnarkjsProof; publicSignals: string[] }>;
    verify(key: SnarkjsVerifyingKey, publicSignals: readonly string[], proof: SnarkjsProof): Promise<boolean>;
  };
  export const zKey: {
    /** For tests and the benchmark: src/zk/setup makes the same. */
    newZKey(r1cs: string, powersOfTau: string, zkey: string): Promise<Uint8Array | -1>;
    contribute(from: string, to: string, name: string, entropy: string): Promise<Uint8Array>;
    /** For tests. */
    exportVerificationKey(zkey: string): Promise<SnarkjsVerifyingKey>;
    beacon(
      from: string,
      to: string,
      name: string,
      value: string,
      iterationsExponent: number,
    ): Promise<Uint8Array | false>;
    verifyFromInit(initial: string, powersOfTau: string, zkey: string, logger?: SnarkjsLogger): Promise<boolean>;
  };
  export const wtns: {
    /** @param witness a path, or an object that receives the file */
    calculate(input: object, wasm: string, witness: string | { type: "mem"; data?: Uint8Array }): Promise<void>;
  };
}
