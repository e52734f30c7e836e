/** Workers and validators of a soak, all in one process: the real roles with the real executor on a model of one node. */
import { createLogger } from "../../src/base/log.ts";
import { createRandom } from "../chaos/random.ts";
import type { FixtureMember } from "../integration/operator/operator-fixture.ts";
import { createMember, type SimMember } from "../sim/general/members.ts";
import { answerSamples } from "./sample.ts";

export interface MembersStart {
  readonly dir: string;
  readonly poolCa: string;
  /** Where they find the pool: a gate that the soak cuts. */
  readonly poolPort: number;
  /** Without the signer, which does not travel. */
  readonly members: readonly Omit<FixtureMember, "signer">[];
}

const running: SimMember[] = [];
process.once("SIGTERM", async () => {
  await Promise.all(running.map((member) => member.close()));
  process.disconnect();
});
process.once("message", async ({ dir, poolCa, poolPort, members }: MembersStart) => {
  answerSamples();
  const logger = createLogger({ level: "error" });
  const random = createRandom(0);
  const onProblem = (problem: string) => void process.send?.({ problem });
  const shared = { dir, poolCa, logger, random, isLiar: false, skewMs: 0, manner: "honest", onProblem } as const;
  for (const member of members) {
    const one = await createMember({ ...shared, member });
    one.gate.setTarget(poolPort);
    one.start();
    running.push(one);
  }
});
