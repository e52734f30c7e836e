import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { maySign, openCertifiedRecord } from "../../../src/validator/certify/certified-record.ts";
import { openSettledTasks } from "../../../src/validator/certify/settled-tasks.ts";
import { domain } from "./a-batch.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-settled-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("the tasks of certified batches", () => {
  test("may not be settled again on top of them, also after a restart", async () => {
    await (await openSettledTasks(dir, domain)).add({ sequence: 1n, headerHash: "0xa", previousHash: "0x0" }, ["t"]);
    const settled = await openSettledTasks(dir, domain);
    expect(settled.isBefore("t", { sequence: 2n, previousHash: "0xa" })).toBe(true);
    expect(settled.isBefore("t", { sequence: 1n, previousHash: "0x0" })).toBe(false);
    expect(settled.isBefore("other", { sequence: 2n, previousHash: "0xa" })).toBe(false);
  });

  test("may be settled again where another batch took the place of theirs, and only there", async () => {
    const settled = await openSettledTasks(dir, domain);
    await settled.add({ sequence: 1n, headerHash: "0xa", previousHash: "0x0" }, ["t"]);
    await settled.add({ sequence: 1n, headerHash: "0xb", previousHash: "0x0" }, ["u"]);
    await settled.add({ sequence: 2n, headerHash: "0xc", previousHash: "0xb" }, ["v"]);
    expect(settled.isBefore("t", { sequence: 2n, previousHash: "0xb" })).toBe(false);
    expect(settled.isBefore("t", { sequence: 3n, previousHash: "0xc" })).toBe(false);
    expect(settled.isBefore("t", { sequence: 2n, previousHash: "0xa" })).toBe(true);
    expect(settled.isBefore("u", { sequence: 3n, previousHash: "0xc" })).toBe(true);
  });

  test("after a gap nothing may, until the chain says what stands in it", async () => {
    const settled = await openSettledTasks(dir, domain);
    await settled.add({ sequence: 1n, headerHash: "0xa", previousHash: "0x0" }, ["t"]);
    const position = { sequence: 4n, previousHash: "0xd" };
    expect(settled.isBefore("t", position)).toBe(true);
    expect(settled.listUnknown(["t"], position)).toEqual([1n]);
    expect(settled.isBefore("t", { ...position, ancestors: new Map([[1n, "0xb"]]) })).toBe(false);
    expect(settled.isBefore("t", { ...position, ancestors: new Map([[1n, "0xa"]]) })).toBe(true);
  });
});

describe("what was signed", () => {
  test("never two headers for one number and epoch; another epoch, and a number again, are free", async () => {
    const record = await openCertifiedRecord(dir, domain);
    const amounts = { balances: new Map<string, bigint>(), spent: new Map<string, bigint>() };
    await record.save({ sequence: 5n, epoch: 2n, headerHash: "0xa", ...amounts }, new Map([["budget", 7n]]));
    const state = (await openCertifiedRecord(dir, domain)).read();
    expect(maySign(state, { sequence: 5n, epoch: 2n, headerHash: "0xa" })).toBe(true);
    expect(maySign(state, { sequence: 5n, epoch: 2n, headerHash: "0xb" })).toBe(false);
    expect(maySign(state, { sequence: 5n, epoch: 1n, headerHash: "0xb" })).toBe(true);
    expect(maySign(state, { sequence: 4n, epoch: 3n, headerHash: "0xb" })).toBe(true);
    await record.save({ sequence: 900n, epoch: 2n, headerHash: "0xc", ...amounts }, new Map([["budget", 9n]]));
    expect(maySign(record.read(), { sequence: 5n, epoch: 9n, headerHash: "0xd" })).toBe(false);
    expect(record.spentBefore("0xa")).toEqual(new Map([["budget", 7n]]));
    expect(record.spentBefore("0xunknown")).toEqual(new Map([["budget", 9n]]));
  });
});
