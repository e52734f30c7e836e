/** The faults that a plan names, done at their times: deaths, partitions, and what happens to a chain and to a clock. */
import { setTimeout as sleep } from "node:timers/promises";
import { Wallet } from "ethers";
import { developmentAccounts } from "../../../src/embedded/chain/development-accounts.ts";
import { createClient } from "../../../src/kube/client.ts";
import { nodes } from "../../../src/kube/core-resources.ts";
import { countFault } from "../scenario.ts";
import type { Strike, StrikeKind } from "./plan.ts";
import { present, type World } from "./simulate.ts";

/** Resolves when the last of them has passed; the world is whole again then. */
export async function applyStrikes(world: World): Promise<void> {
  const began = performance.now();
  const busy = new Set<string>();
  await Promise.all(
    world.plan.strikes.map(async (strike) => {
      await sleep(Math.max(0, began + strike.afterMs - performance.now()));
      const target = targetOf(world, strike);
      // Who is dead does not die, and a gate that is shut is not opened by another's end.
      if (busy.has(target)) return;
      busy.add(target);
      try {
        countFault(world.faults, strike.kind);
        await apply[strike.kind](world, strike);
      } finally {
        busy.delete(target);
      }
    }),
  );
  world.host.skew(0);
}

type Apply = (world: World, strike: Strike) => Promise<void>;

const apply: Readonly<Record<StrikeKind, Apply>> = {
  "operator-death": async ({ host }, { lastsMs }) => {
    await host.die();
    await sleep(lastsMs / 3);
    await host.start();
  },
  "worker-death": killMember,
  "validator-death": killMember,
  "member-partition": async (world, strike) => {
    const { gate } = memberOf(world, strike);
    gate.setOpen(false);
    await sleep(strike.lastsMs);
    gate.setOpen(true);
  },
  "pool-cut": async ({ members }) => {
    for (const { gate } of members) gate.cut();
  },
  "api-partition": ({ host }, { lastsMs }) => shut(host.api, lastsMs),
  "api-cut": async ({ host }) => host.api.cut(),
  "rpc-partition": ({ host }, { lastsMs }) => shut(host.rpc, lastsMs),
  reorg: async ({ chain }) => {
    await chain.provider.send("anvil_reorg", [1, []]);
  },
  "outside-use": async ({ chain }) => {
    const settler = new Wallet(developmentAccounts(2)[1]!.privateKey, chain.provider);
    // Loses against the operator's own transaction now and then, as it may.
    await settler.sendTransaction({ to: settler.address, value: 0n }).catch(() => undefined);
  },
  "disk-full": async (world, strike) => {
    const member = memberOf(world, strike);
    await member.fillDisk(true);
    await sleep(strike.lastsMs);
    await member.fillDisk(false);
  },
  "out-of-memory": async (world, strike) => {
    const member = memberOf(world, strike);
    member.starve(true);
    await sleep(strike.lastsMs);
    member.starve(false);
  },
  // The node's network goes, its controller says so, and it comes back as it was.
  "node-lost": async (world, strike) => {
    const { gate, name } = memberOf(world, strike);
    gate.setOpen(false);
    await tellNode(world, name, { ready: "Unknown" });
    await sleep(strike.lastsMs);
    gate.setOpen(true);
    await tellNode(world, name, { ready: "True" });
  },
  // The node is drained, and the pod starts anew on it once it may.
  eviction: async (world, strike) => {
    const { name } = memberOf(world, strike);
    await tellNode(world, name, { unschedulable: true });
    await killMember(world, strike);
    await tellNode(world, name, { unschedulable: false });
  },
  "clock-jump": async ({ host }, { choice, lastsMs }) => {
    host.skew((choice % 2 === 0 ? 1 : -1) * lastsMs);
  },
};

async function killMember(world: World, strike: Strike): Promise<void> {
  const member = memberOf(world, strike);
  await member.die();
  await sleep(strike.lastsMs / 2);
  member.start();
}

/** Straight at the server, as the node's own controllers would. */
async function tellNode(
  { cluster }: World,
  member: string,
  { ready, unschedulable }: { readonly ready?: "True" | "Unknown"; readonly unschedulable?: boolean },
): Promise<void> {
  const name = `node-${member}`;
  const client = createClient(cluster.transport, nodes);
  if (unschedulable !== undefined) await client.patch({ name }, { kind: "merge", body: { spec: { unschedulable } } });
  if (ready === undefined) return;
  const lastTransitionTime = new Date().toISOString();
  const conditions = [{ type: "Ready", status: ready, reason: "Simulated", message: "", lastTransitionTime }];
  await cluster.transport.request({
    method: "PATCH",
    path: `/api/v1/nodes/${name}/status`,
    contentType: "application/merge-patch+json",
    body: { status: { conditions } },
  });
}

async function shut(gate: { setOpen(isOpen: boolean): void }, ms: number): Promise<void> {
  gate.setOpen(false);
  await sleep(ms);
  gate.setOpen(true);
}

const ofMembers: ReadonlySet<StrikeKind> = new Set([
  ...(["worker-death", "validator-death", "member-partition", "disk-full"] as const),
  ...(["out-of-memory", "node-lost", "eviction"] as const),
]);

function targetOf(world: World, strike: Strike): string {
  if (ofMembers.has(strike.kind)) return memberOf(world, strike).name;
  return strike.kind.startsWith("api") || strike.kind.startsWith("rpc") || strike.kind.startsWith("operator")
    ? "operator"
    : strike.kind;
}

function memberOf(world: World, { kind, choice }: Strike) {
  const isOfWorkers = kind === "worker-death" || kind === "out-of-memory";
  const role = isOfWorkers ? "Worker" : kind === "validator-death" ? "Validator" : undefined;
  const some = present(world).filter(({ name }) => {
    const member = world.cluster.members.find((one) => one.name === name);
    return role === undefined || member?.role === role;
  });
  return some[choice % some.length]!;
}
