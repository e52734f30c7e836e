/**
 * Two of three workers answer wrongly at a time that the seed chooses, and two of five validators are with them: they approve what
 * is wrong and reject what is right. Three decide. No wrong result may stand, both workers lose a tenth, and the two validators,
 * who were never of those that decided, earn nothing. They are not slashed: only a settled approval of theirs could be.
 */
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { startOperator } from "../../integration/operator/operator-fixture.ts";
import {
  digestOf,
  double,
  type Running,
  runValidator,
  runWorker,
} from "../../integration/operator/scripted-members.ts";
import { countFault } from "../scenario.ts";
import { applyTask, checkStakes, checkTasks, comesTrue, earnedWei, type Part, startPool, validators } from "./part.ts";

const taskCount = 12;

export const colludeBelowQuorum: Part = async (random, faults) => {
  const cluster = await startPool(["w1", "w2", "w3"]);
  const operator = await startOperator(cluster);
  const running: Running[] = [];
  const lied = new Set<string>();
  const liars = ["w1", "w2"];
  const friends = random.next() < 0.5 ? ["v1", "v2"] : ["v4", "v5"];
  const honest = ["w3", ...validators.filter((name) => !friends.includes(name))];
  try {
    await cluster.order("order");
    for (const name of validators) {
      const isFriend = friends.includes(name);
      const judge = async (item: {
        input: Parameters<typeof double>[0];
        receipt: { message: { outputDigest: string } };
      }) => {
        const [right, said] = [digestOf(double(item.input)), item.receipt.message.outputDigest];
        if (!isFriend) return { vote: said === right ? ("Accept" as const) : ("Reject" as const), outputDigest: right };
        countFault(faults, said === right ? "false-rejection" : "false-approval");
        return said === right
          ? { vote: "Reject" as const, outputDigest: digestOf(double(item.input, 3)) }
          : { vote: "Accept" as const, outputDigest: said };
      };
      running.push(runValidator(cluster, operator, name, { script: { judge } }));
    }
    for (const name of liars) {
      // Two tasks are its first: the second may be the one.
      let honestFor = random.between(0, 1);
      const multiply = () => {
        if (honestFor-- > 0) return 2;
        countFault(faults, "wrong-result");
        lied.add(name);
        return 3;
      };
      running.push(runWorker(cluster, operator, name, { multiply }));
    }
    for (let index = 0; index < taskCount; index++) await applyTask(cluster, `task-${index}`);
    const problems: string[] = [];
    if (!(await comesTrue(() => lied.size === liars.length)))
      problems.push(`stage: only ${[...lied].join()} of the liars lied`);
    running.push(runWorker(cluster, operator, "w3"));
    const wrong = await checkTasks(cluster);
    problems.push(...wrong);
    const stakeOf = async (name: string) => (await cluster.chain.node(cluster.member(name).signer.address)).stakeWei;
    const isCaught = async (name: string) => (await stakeOf(name)) < 10_000n * oneToken;
    for (const name of liars)
      if (!(await comesTrue(() => isCaught(name)))) problems.push(`caught: ${name} lied and has its whole stake`);
    const unjust = await checkStakes(cluster, honest);
    problems.push(...unjust);
    const decided = honest.filter((name) => name.startsWith("v"));
    const isTold = async () =>
      (await Promise.all(decided.map((name) => earnedWei(cluster, name)))).some((wei) => wei > 0n);
    if (!(await comesTrue(isTold))) problems.push("paid: no honest validator earned anything");
    for (const name of friends) {
      const wei = await earnedWei(cluster, name);
      if (wei > 0n) problems.push(`paid: ${name} voted against every verdict and earned ${wei} wei`);
    }
    const lost = wrong.filter((line) => line.startsWith("lost")).length;
    const summary = `${liars.join()} and ${friends.join()} of five: ${taskCount} tasks, all right in the end, both workers slashed, their friends earned nothing`;
    return {
      ...{ problems, tasks: taskCount, lost, slashedWrongly: unjust.length },
      summary: problems.length === 0 ? summary : `${problems.length} problems`,
    };
  } finally {
    await Promise.all(running.map((member) => member.stop()));
    await operator.stop();
    await cluster.close();
  }
};
