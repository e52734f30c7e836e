/** Four workers of four owners: one forgets shards that it claimed, one is slow, and two lie about the first duplicate that they get. */
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import type { SeededRandom } from "../../chaos/random.ts";
import type { Cluster, RunningOperator } from "../../integration/operator/operator-fixture.ts";
import { double, type Running, runWorker, type Script } from "../../integration/operator/scripted-members.ts";
import { countFault, type FaultCounts } from "../scenario.ts";

export const honest = ["w1", "w2"];

interface WorkerFaults {
  readonly random: SeededRandom;
  readonly faults: FaultCounts;
}

export function startWorkers(cluster: Cluster, operator: RunningOperator, context: WorkerFaults): Running[] {
  const scripts: Readonly<Record<string, Script>> = {
    w1: forgetful(context),
    w2: slow(context),
    w3: lying(context),
    w4: lying(context),
  };
  return Object.entries(scripts).map(([name, script]) => runWorker(cluster, operator, name, { slots: 1, ...script }));
}

const work = (assignment: unknown) => assignment as WorkAssignment;
const isDuplicate = ({ task }: WorkAssignment) => task.endsWith("-d");

/** As one that is killed while it computes: nothing of it is heard again. */
function forgetful({ random, faults }: WorkerFaults): Script {
  return {
    multiply: () => {
      if (random.next() > 0.3) return 2;
      countFault(faults, "worker-gone");
      return undefined;
    },
  };
}

function slow({ random, faults }: WorkerFaults): Script {
  return {
    compute: async (assignment) => {
      if (random.next() < 0.6) {
        countFault(faults, "slow-worker");
        await sleep(random.between(1_500, 4_000));
      }
      return double(assignment.input);
    },
  };
}

function lying({ random, faults }: WorkerFaults): Script {
  let hasLied = false;
  return {
    compute: async (assignment) => {
      await sleep(random.between(50, 400));
      if (hasLied || !isDuplicate(work(assignment))) return double(assignment.input);
      hasLied = true;
      countFault(faults, "wrong-duplicate");
      return double(assignment.input, 3);
    },
  };
}
