/**
 * Simulated workers in a process of their own, so that a benchmark's client does not share its CPU with them: forked with what
 * they need to know as the first message. Says when each has its session, ends on `close`.
 */
import { createSigner } from "../../src/pool/signer.ts";
import type { ProtocolDomain } from "../../src/protocol/typed-data.ts";
import type { FixtureMember } from "../integration/operator/operator-fixture.ts";
import { simulateWorker } from "./simulated-worker.ts";

export interface WorkersStart {
  /** Of the pool API. */
  readonly url: string;
  readonly poolCa: string;
  readonly domain: ProtocolDomain;
  readonly members: readonly Omit<FixtureMember, "signer">[];
  /** Of each. */
  readonly slots: number;
  readonly items: number;
}

let stops: readonly (() => Promise<void>)[] = [];

process.on("message", (message: WorkersStart | "close") => {
  if (message === "close") void Promise.all(stops.map((stop) => stop())).finally(() => process.disconnect());
  else stops = start(message);
});

function start({ url, poolCa, domain, members, slots, items }: WorkersStart) {
  const known = new Map(members.map((one) => [one.name, { ...one, signer: createSigner(one.privateKey) }]));
  const member = (name: string) => {
    const found = known.get(name);
    if (!found) throw new Error(`there is no member ${name}`);
    return found;
  };
  let opened = 0;
  const onOpen = () => {
    if (++opened === members.length) process.send?.("running");
  };
  return members.map(({ name }) =>
    simulateWorker({ member, domain, poolCa }, url, { name, slots, items, onOpen, runMs: () => 0 }),
  );
}
