/** The faults that a plan names, done at their times: deaths, partitions, and what happens to a chain and to a clock. */
import { setTimeout as sleep } from "node:timers/promises";
import { Wallet } from "ethers";
import { developmentAccounts } from "../../../src/embedded/chain/development-accounts.ts";
import { createClient } from "../../../src/kube/client.ts";
import { nodes } from "../../../src/kube/core-resources.ts";
import { countFault } from "../scenario.ts";
import { atStep, directionOf } from "./at-step.ts";
import type { Strike, StrikeKind } from "./plan.ts";
import { present, type World } from "./simulate.ts";
import { insist } from "./user.ts";

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
        if ((await apply[strike.kind](world, strike)) !== missed) countFault(world.faults, strike.kind);
      } finally {
        busy.delete(target);
      }
    }),
  );
  world.host.skew(0);
}

/** Answers `missed` where what it waited for did not come. */
type Apply = (world: World, strike: Strike) => Promise<unknown>;
const missed = "missed";

const apply: Readonly<Record<StrikeKind, Apply>> = {
  "operator-death": async ({ host }, { lastsMs }) => {
    await host.die();
    await sleep(lastsMs / 3);
    await host.start();
  },
  // As much before the server has the request as after it has done what was asked.
  "operator-step-death": async ({ host }, { choice, lastsMs }) => {
    const neighbour = (["api", "rpc", "pool"] as const)[choice % 3]!;
    const step = { neighbour, direction: directionOf(choice), after: choice % 17 };
    const died = await atStep(
      (act) => host.trip(step, act),
      () => host.die(),
    );
    if (!died) return missed;
    await sleep(lastsMs / 3);
    return host.start();
  },
  "worker-death": killMember,
  "worker-step-death": killMemberAtStep,
  "validator-death": killMember,
  "validator-step-death": killMemberAtStep,
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
  "api-restart": ({ restarting }) => restarting.restart(),
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
  "worker-out-of-memory": starveMember,
  "validator-out-of-memory": starveMember,
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
  // Another pod takes its place for a while: it is told to end, and hands back what it has.
  preemption: async (world, strike) => {
    const member = memberOf(world, strike);
    await member.stop();
    await sleep(strike.lastsMs / 2);
    member.start();
  },
  "operator-clock-jump": async ({ host }, { choice, lastsMs }) => {
    host.skew((choice % 2 === 0 ? 1 : -1) * lastsMs * 600);
  },
  "worker-clock-jump": jumpMember,
  "validator-clock-jump": jumpMember,
};

async function jumpMember(world: World, strike: Strike): Promise<void> {
  const member = memberOf(world, strike);
  member.skew((strike.choice % 2 === 0 ? 1 : -1) * strike.lastsMs * 3_600);
  await sleep(strike.lastsMs);
  member.skew(0);
}

async function starveMember(world: World, strike: Strike): Promise<void> {
  const member = memberOf(world, strike);
  member.starve(true);
  await sleep(strike.lastsMs);
  member.starve(false);
}

async function killMemberAtStep(world: World, strike: Strike): Promise<unknown> {
  const member = memberOf(world, strike);
  const { choice, lastsMs } = strike;
  const died = await atStep(
    (act) => member.gate.trip(directionOf(choice), choice % 7, act),
    () => member.die(),
  );
  if (!died) return missed;
  await sleep(lastsMs / 2);
  return member.start();
}

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
  if (unschedulable !== undefined)
    await insist(() => client.patch({ name }, { kind: "merge", body: { spec: { unschedulable } } }));
  if (ready === undefined) return;
  const lastTransitionTime = new Date().toISOString();
  const conditions = [{ type: "Ready", status: ready, reason: "Simulated", message: "", lastTransitionTime }];
  await insist(() =>
    cluster.transport.request({
      method: "PATCH",
      path: `/api/v1/nodes/${name}/status`,
      contentType: "application/merge-patch+json",
      body: { status: { conditions } },
    }),
  );
}

async function shut(gate: { setOpen(isOpen: boolean): void }, ms: number): Promise<void> {
  gate.setOpen(false);
  await sleep(ms);
  gate.setOpen(true);
}

const ofMembers: ReadonlySet<StrikeKind> = new Set([
  "member-partition",
  "disk-full",
  "node-lost",
  "eviction",
  "preemption",
]);

function targetOf(world: World, strike: Strike): string {
  if (ofMembers.has(strike.kind) || roleOf(strike) !== undefined) return memberOf(world, strike).name;
  if (strike.kind === "api-restart" || strike.kind === "operator-clock-jump") return strike.kind;
  return strike.kind.startsWith("api") || strike.kind.startsWith("rpc") || strike.kind.startsWith("operator")
    ? "operator"
    : strike.kind;
}

function roleOf({ kind }: Strike): "Worker" | "Validator" | undefined {
  if (kind.startsWith("worker-")) return "Worker";
  return kind.startsWith("validator-") ? "Validator" : undefined;
}

function memberOf(world: World, strike: Strike) {
  const role = roleOf(strike);
  const some = present(world).filter(({ name }) => {
    const member = world.cluster.members.find((one) => one.name === name);
    return role === undefined || member?.role === role;
  });
  return some[strike.choice % some.length]!;
}
