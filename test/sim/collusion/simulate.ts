/**
 * `npm run test:sim -- collusion`: those who should watch each other work together instead. Below the quorum they are outvoted and
 * the workers slashed; above it a wrong result is settled, and a watcher and a jury take it back; and who copies others'
 * votes instead of working never gets one counted. A file for each; the seed chooses who and when.
 */
import { createRandom } from "../../chaos/random.ts";
import type { FaultCounts, ScenarioOptions, ScenarioReport } from "../scenario.ts";
import { colludeAboveQuorum } from "./above-quorum.ts";
import { colludeBelowQuorum } from "./below-quorum.ts";
import { copyVotes } from "./copy-votes.ts";
import type { Act, Part } from "./part.ts";

const parts: Readonly<Record<string, Part>> = {
  "below the quorum": colludeBelowQuorum,
  "copied votes": copyVotes,
  "above the quorum": colludeAboveQuorum,
};

export async function simulateCollusion({ seed, onProgress }: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const faults: FaultCounts = {};
  const problems: string[] = [];
  const acts: Act[] = [];
  for (const [name, part] of Object.entries(parts)) {
    const act = await part(createRandom(seed).fork(name), faults);
    acts.push(act);
    problems.push(...act.problems.map((problem) => `${name}: ${problem}`));
    onProgress?.(`${name}: ${act.summary}`);
  }
  const sum = (key: "tasks" | "lost" | "slashedWrongly") => acts.reduce((total, act) => total + act[key], 0);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const counts = { tasks: sum("tasks"), lost: sum("lost"), slashedWrongly: sum("slashedWrongly") };
  return { seed, seconds, faults, problems, ...counts, table: acts.map(({ summary }) => summary) };
}
