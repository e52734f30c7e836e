/**
 * The keys of one circuit, made by snarkjs and by src/zk/setup one after the other in one process: seconds, and seconds of processor time,
 * which say more where others use the machine. Called by measure-part.ts. Effects: a temporary folder, threads.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zKey } from "snarkjs";
import { compileInference } from "../../../src/zk/circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { setUp } from "../../../src/zk/setup/set-up.ts";
import { roundTo3 } from "../take-turns.ts";
import { type PartFigures, runScript } from "./measure-circuit.ts";
import { findSubject } from "./subjects.ts";

export async function measureSetups(name: string): Promise<PartFigures> {
  const { rows, read } = findSubject(name);
  const powersOfTauPath = runScript("powers-of-tau");
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  const at = (file: string) => join(dir, file);
  try {
    const circuit = compileInference(readIntegerNetwork(read()), rows);
    await writeFile(at("r1cs"), circuit.encodeR1cs());
    const own = await measure(() =>
      setUp({ r1csPath: at("r1cs"), powersOfTauPath, zkeyPath: at("own"), contributor: "bench" }),
    );
    const snarkjs = await measure(async () => {
      await zKey.newZKey(at("r1cs"), powersOfTauPath, at("first"));
      await zKey.contribute(at("first"), at("theirs"), "bench", "bench");
    });
    return {
      name,
      constraints: circuit.constraintCount,
      setupSeconds: own.seconds,
      setupCpuSeconds: own.cpuSeconds,
      snarkjsSetupSeconds: snarkjs.seconds,
      snarkjsSetupCpuSeconds: snarkjs.cpuSeconds,
      slower: roundTo3(snarkjs.seconds / own.seconds),
      slowerByCpu: roundTo3(snarkjs.cpuSeconds / own.cpuSeconds),
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(
  work: () => Promise<unknown>,
): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: roundTo3((performance.now() - started) / 1000), cpuSeconds: roundTo3((user + system) / 1e6) };
}
