/** A ceremony's steps, checked by snarkjs: keys are made in src/zk/setup, and what checks them is another's work. Called by snarkjs-process.ts. */
import { type SnarkjsLogger, zKey } from "snarkjs";
import type { StepFiles } from "./proving-backend.ts";

/** @returns what is wrong; nothing where all is well */
export async function checkSteps({ initialKeyPath, powersOfTauPath, zkeyPath }: StepFiles): Promise<readonly string[]> {
  const faults: string[] = [];
  const error = (line: string) => void faults.push(line.trim());
  const ignore = () => undefined;
  const logger: SnarkjsLogger = { info: ignore, debug: ignore, warn: ignore, error };
  // Faults of single steps are written to the console and nowhere else.
  const { log } = console;
  console.log = (...parts: unknown[]) => error(parts.join(" "));
  try {
    const isGood = await zKey.verifyFromInit(initialKeyPath, powersOfTauPath, zkeyPath, logger);
    return isGood ? [] : faults.length > 0 ? faults : ["a section does not follow from the first key's"];
  } finally {
    console.log = log;
  }
}
