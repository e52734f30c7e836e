import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { BondBook } from "../../../src/operator/bond-book.ts";
import type { ChainLink } from "../../../src/operator/chain-link.ts";

const addressOf = (index: number) => `0x${index.toString(16).padStart(40, "0")}`;

function aBook(members: readonly string[]) {
  const read: string[] = [];
  const client = {
    epoch: async () => 1n,
    validators: async () => [],
    nodes: async (addresses: readonly string[]) =>
      addresses.map((address) => {
        read.push(address.toLowerCase());
        return { role: "Worker", state: "Active", stakeWei: 1n, payout: address };
      }),
    claimedOf: async (accounts: readonly string[]) => accounts.map(() => 0n),
  };
  const link = { client, note: () => undefined } as unknown as ChainLink;
  const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
  const list = () => members;
  const book = new BondBook({ link, clock, logger: silentLogger, refreshMs: 1, list, onChange: () => undefined });
  return { book, read };
}

describe("the book of bonds", () => {
  test("reads a small pool whole in each round", async () => {
    const members = Array.from({ length: 200 }, (_, index) => addressOf(index + 1));
    const { book, read } = aBook(members);
    await book.refresh();
    await book.refresh();
    expect(read).toEqual([...members, ...members]);
  });

  test("reads a large one in turns: first whom it does not know, and in the end everybody again", async () => {
    const members = Array.from({ length: 600 }, (_, index) => addressOf(index + 1));
    const { book, read } = aBook(members);
    const rounds = [];
    for (let round = 0; round < 6; round++) {
      await book.refresh();
      rounds.push(read.splice(0).length);
      if (round === 2) expect(members.every((address) => book.of(address) !== undefined)).toBe(true);
      if (round === 2) members.push(addressOf(9_999));
    }
    expect(Math.max(...rounds)).toBe(256);
    expect(book.of(addressOf(9_999))).toBeDefined();
    const again = new Set<string>();
    for (let round = 0; round < 3; round++) {
      await book.refresh();
      for (const address of read.splice(0)) again.add(address);
    }
    expect(again.size).toBe(601);
  });
});
