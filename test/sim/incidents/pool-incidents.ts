/** Incidents of the pool: what ends work, money or trust in other networks by a restart, a wallet, a vote or a silence. */
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { requester } from "../../integration/operator/operator-fixture.ts";
import type { Evidence } from "../general/assert-general.ts";
import type { Plan, PlannedTask, Strike, StrikeKind, TaskKind } from "../general/plan.ts";
import { playInPool } from "./by-pool.ts";
import type { Incident } from "./incident.ts";

const calm: Plan = { tasks: [], strikes: [], liar: undefined, manner: "honest", skewsMs: {} };

function tasksOf(kind: TaskKind, count: number, x: number): PlannedTask[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ name: `${kind}-${index}`, kind, createAfterMs: index * 50, x: x + index },
  }));
}

const strike = (kind: StrikeKind, afterMs: number, lastsMs: number, choice = 0): Strike => ({
  ...{ kind, afterMs, lastsMs, choice },
});

const list = async ({ cluster }: Evidence): Promise<TaskObject[]> => (await cluster.tasks.list()).items;
const stakeOf = async ({ cluster }: Evidence, name: string) =>
  (await cluster.chain.node(cluster.member(name).signer.address)).stakeWei;

export const poolIncidents: readonly Incident[] = [
  {
    name: "restart-keeps-leases",
    elsewhere:
      "a provider's restart deleted every lease, and one node's network error closed those of others (akash support#128, #15)",
    here: "no work ends when the operator is killed, or when one worker is cut off",
    shownBy: "the whole pool",
    run: (options) =>
      playInPool(
        {
          plan: {
            ...{ ...calm, tasks: tasksOf("leased", 8, 1_500) },
            strikes: [
              strike("operator-death", 1_000, 900),
              strike("member-partition", 1_200, 1_500, 0),
              strike("pool-cut", 3_000, 100),
            ],
          },
          check: async (evidence) =>
            (await list(evidence)).flatMap(({ metadata, status }) =>
              status?.assignment?.attempt === 1 && (status.attempts ?? []).length === 0
                ? []
                : [`lease: ${metadata.name} was taken from its worker: ${JSON.stringify(status?.attempts)}`],
            ),
        },
        options,
      ),
  },
  {
    name: "outside-wallet-use",
    elsewhere:
      "a manual transaction from the settler's wallet stopped bidding for days (akash support#13, provider#49)",
    here: "the nonce is found anew, and everything is settled within a minute",
    shownBy: "the whole pool",
    run: (options) =>
      playInPool(
        {
          plan: {
            ...{ ...calm, tasks: tasksOf("plain", 12, 1) },
            strikes: Array.from({ length: 8 }, (_, index) => strike("outside-use", 300 + index * 1_000, 100)),
          },
          check: async (_, seconds) => (seconds <= 60 ? [] : [`settled: after ${seconds} s, expected at most 60`]),
        },
        options,
      ),
  },
  {
    name: "abstain-not-minus-one",
    elsewhere: "validators without the model voted invalid and wiped out honest weight (gonka #1525)",
    here: "who cannot judge abstains: results stand by the others, and nobody loses stake",
    shownBy: "the whole pool",
    run: (options) =>
      playInPool(
        {
          plan: { ...calm, tasks: tasksOf("plain", 10, 1), manner: "abstaining" },
          check: async (evidence) => keepsStake(evidence, "v1", "abstained"),
        },
        options,
      ),
  },
  {
    name: "missed-duty-once",
    elsewhere: "a validator that missed its duty for a good reason lost its reward (gonka #353, #372)",
    here: "a validator that is not there loses nothing, and panels go on without it",
    shownBy: "the whole pool",
    run: (options) =>
      playInPool(
        {
          plan: { ...calm, tasks: tasksOf("plain", 10, 1), manner: "absent" },
          check: async (evidence) => keepsStake(evidence, "v1", "was away"),
        },
        options,
      ),
  },
  {
    name: "paid-by-silence",
    elsewhere: "with no verdict after a week the node was paid",
    here: "without a verdict there is no reward: the task fails at its deadline, and the deposit is whole",
    shownBy: "the whole pool",
    run: (options) =>
      playInPool(
        {
          plan: { ...calm, tasks: tasksOf("unjudged", 3, 1), manner: "nobody" },
          check: async ({ cluster }) => {
            const { sequence } = await cluster.chain.lastBatch();
            const leftWei = await cluster.chain.spendable(requester.address);
            const depositWei = 10_000n * oneToken;
            return [
              ...(sequence === 0n ? [] : [`paid: ${sequence} batches are settled, expected none`]),
              ...(leftWei === depositWei ? [] : [`paid: ${leftWei} wei are left of a deposit of ${depositWei}`]),
            ];
          },
        },
        options,
      ),
  },
  {
    name: "head-of-line",
    elsewhere: "a head that did not fit held up the queue behind it (kueue #14477)",
    here: "a task that fits nobody waits, says why, and holds up none of those behind it",
    shownBy: "the whole pool; npm run bench -- kueue-baseline drains 536 deep",
    run: (options) =>
      playInPool(
        {
          plan: { ...calm, tasks: [...tasksOf("unplaceable", 2, 1), ...tasksOf("plain", 14, 1)] },
          check: async () => [],
        },
        options,
      ),
  },
];

async function keepsStake(evidence: Evidence, name: string, why: string): Promise<string[]> {
  const stakeWei = await stakeOf(evidence, name);
  return stakeWei === 50_000n * oneToken ? [] : [`stake: ${name} ${why} and has ${stakeWei} wei left`];
}
