/**
 * Times EZKL's engine for Node (WebAssembly, one thread) on a dense network: keys, witness, proof and verification. The outputs that it
 * proves are compared with the sums computed here. Effects: none but time.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { computeSums, type IntegerNetwork } from "../../../../src/zk/network/integer-network.ts";
import { buildEzklCircuit } from "./circuit.ts";
import { buildEzklParameters } from "./parameters.ts";

interface Engine {
  genWitness(circuit: Uint8ClampedArray, input: Uint8ClampedArray): Uint8Array;
  genVk(circuit: Uint8ClampedArray, parameters: Uint8ClampedArray, compressSelectors: boolean): Uint8Array;
  genPk(key: Uint8ClampedArray, circuit: Uint8ClampedArray, parameters: Uint8ClampedArray): Uint8Array;
  prove(
    witness: Uint8ClampedArray,
    key: Uint8ClampedArray,
    circuit: Uint8ClampedArray,
    parameters: Uint8ClampedArray,
  ): Uint8Array;
  verify(
    proof: Uint8ClampedArray,
    key: Uint8ClampedArray,
    settings: Uint8ClampedArray,
    parameters: Uint8ClampedArray,
  ): boolean;
}

export interface EzklSubject {
  /** Folder into which .ci/ezkl has installed the engine. */
  readonly folder: string;
  readonly powersOfTauPath: string;
  readonly network: IntegerNetwork;
  readonly bytes: Uint8Array;
  /** The smallest that the network fits. */
  readonly logRows: number;
}

export interface EzklSeconds {
  readonly rows: number;
  readonly setupSeconds: number;
  readonly witnessSeconds: number;
  readonly proveSeconds: number;
  readonly verifyMs: number;
  readonly proofBytes: number;
}

export async function measureEzkl({
  folder,
  powersOfTauPath,
  network,
  bytes,
  logRows,
}: EzklSubject): Promise<EzklSeconds> {
  const engine: Engine = createRequire(join(folder, "package.json"))("@ezkljs/engine");
  const layers = network.layers.flatMap((layer) => (layer.kind === "dense" ? [layer] : []));
  const { bytes: circuit, settings } = buildEzklCircuit(layers, logRows);
  const parameters = await buildEzklParameters(powersOfTauPath, logRows);
  const [witness, witnessSeconds] = time(() => engine.genWitness(circuit, encodeJson({ input_data: [[...bytes]] })));
  checkOutputs(witness, network, bytes);
  const [[verifying, proving], setupSeconds] = time(() => {
    const key = clamp(engine.genVk(circuit, parameters, true));
    return [key, clamp(engine.genPk(key, circuit, parameters))] as const;
  });
  const [proof, proveSeconds] = time(() => clamp(engine.prove(clamp(witness), proving, circuit, parameters)));
  const [isValid, verifySeconds] = time(() => engine.verify(proof, verifying, encodeJson(settings), parameters));
  if (!isValid) throw new Error("EZKL's proof does not verify.");
  return {
    rows: 2 ** logRows,
    setupSeconds,
    witnessSeconds,
    proveSeconds,
    verifyMs: 1000 * verifySeconds,
    proofBytes: JSON.parse(new TextDecoder().decode(proof)).proof.length,
  };
}

/** It is this network that is proven, on this input: sums and ReLU, without the steps back to bytes. */
function checkOutputs(witness: Uint8Array, { layers }: IntegerNetwork, bytes: Uint8Array): void {
  let values: Int32Array = Int32Array.from(bytes);
  for (const layer of layers) {
    values = computeSums(layer, values);
    if (layer.shift !== undefined) values = values.map((value) => Math.max(0, value));
  }
  const { pretty_elements } = JSON.parse(new TextDecoder().decode(witness));
  const got: string[] = pretty_elements.rescaled_outputs[0];
  if (got.map(Number).join() === values.join()) return;
  throw new Error(`EZKL computes ${got}; expected ${values}.`);
}

function clamp(bytes: Uint8Array): Uint8ClampedArray {
  return new Uint8ClampedArray(bytes);
}

function encodeJson(value: object): Uint8ClampedArray {
  return new Uint8ClampedArray(new TextEncoder().encode(JSON.stringify(value)));
}

function time<T>(work: () => T): [T, number] {
  const started = performance.now();
  const result = work();
  return [result, (performance.now() - started) / 1000];
}
