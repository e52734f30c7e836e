import { Interface, type JsonRpcPayload, type JsonRpcProvider } from "ethers";
import { describe, expect, test } from "vitest";
import { readMany } from "../../../src/chain/read-many.ts";

const abi = new Interface(["function balanceOf(address) view returns (uint256)"]);
const to = `0x${"7".repeat(40)}`;
const accounts = Array.from({ length: 250 }, (_, index) => `0x${index.toString(16).padStart(40, "0")}`);
const answerTo = (data: string) => `0x${data.slice(10)}`;
const want = accounts.map((account) => answerTo(abi.encodeFunctionData("balanceOf", [account])));

type List = (payloads: readonly JsonRpcPayload[]) => Promise<object[]>;

const dataOf = ({ params }: JsonRpcPayload) => (params as { data: string }[])[0]?.data ?? "";
const answers: List = async (payloads) =>
  payloads.map((payload) => ({ id: payload.id, result: answerTo(dataOf(payload)) })).reverse();

/** An endpoint that answers to single calls, and to lists as it is told. */
function anEndpoint(list: List) {
  const counts = { lists: 0, calls: 0 };
  const endpoint = { list, isAway: false };
  const fail = () => Promise.reject(new Error("away"));
  const provider = {
    _send: (payloads: JsonRpcPayload[]) => {
      counts.lists++;
      return endpoint.isAway ? fail() : endpoint.list(payloads);
    },
    call: async ({ data }: { data: string }) => {
      counts.calls++;
      return endpoint.isAway ? fail() : answerTo(data);
    },
  } as unknown as JsonRpcProvider;
  const read = () => readMany(provider, { to, abi, name: "balanceOf", accounts });
  return { counts, endpoint, read };
}

describe("one view for many accounts", () => {
  test("is read a hundred at once, in whatever order the answers come", async () => {
    const { counts, read } = anEndpoint(answers);
    expect(await read()).toEqual(want);
    expect(counts).toEqual({ lists: 3, calls: 0 });
  });

  test("what a list has no answer to is asked alone", async () => {
    const { counts, read } = anEndpoint(async (payloads) =>
      (await answers(payloads)).map((one, index) => (index === 5 ? { id: 94, error: { code: 3 } } : one)),
    );
    expect(await read()).toEqual(want);
    expect(counts).toEqual({ lists: 3, calls: 3 });
  });

  for (const [title, list] of [
    ["refuses lists", () => Promise.reject(new Error("413"))],
    ["answers one error to a list", async () => [{ id: null, error: { code: -32600 } }]],
    ["answers something else", async () => [{ id: 0, result: { block: 1 } }]],
  ] as const)
    test(`an endpoint that ${title} is asked one by one, and is sent no list again`, async () => {
      const { counts, read } = anEndpoint(list);
      expect([await read(), await read()]).toEqual([want, want]);
      expect(counts).toEqual({ lists: 1, calls: 500 });
    });

  test("one that was away is sent lists again", async () => {
    const { counts, endpoint, read } = anEndpoint(answers);
    endpoint.isAway = true;
    await expect(read()).rejects.toThrow("away");
    endpoint.isAway = false;
    expect(await read()).toEqual(want);
    expect(counts).toEqual({ lists: 4, calls: 1 });
  });
});
