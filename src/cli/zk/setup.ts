/** `inferium zk setup`: begins the ceremony of a model's circuit. */
import { planCeremony, startCeremony } from "../../zk/ceremony/run-ceremony.ts";
import { type CircuitOptions, type OutputOptions, printResult, readCircuit, type ZkSession } from "./zk-session.ts";

export interface SetupOptions extends CircuitOptions, OutputOptions {
  readonly dir: string;
}

export async function runSetup(options: SetupOptions, session: ZkSession): Promise<number> {
  const { circuit, powersOfTau } = await readCircuit(options);
  const start = { dir: options.dir, circuit, powersOfTau };
  const begun = options.dryRun === true ? await planCeremony(start) : await startCeremony(start, session);
  return printResult(session, options, {
    summary: `The ceremony in ${options.dir} begins: ${circuit.constraintCount} constraints over ${powersOfTau.name}. Next: inferium zk contribute, by everybody in turn.`,
    fields: {
      dir: options.dir,
      subject: circuit.subject,
      constraintCount: circuit.constraintCount,
      r1csDigest: circuit.r1csDigest,
      powersOfTau: { name: powersOfTau.name, digest: powersOfTau.digest, power: powersOfTau.power },
      ...(begun === undefined ? {} : { keyDigest: begun.initialKeyDigest }),
    },
    isDevelopment: powersOfTau.isDevelopment,
  });
}
