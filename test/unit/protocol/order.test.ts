import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import {
  anyModel,
  computeModelsRoot,
  identifyBudget,
  isModelAllowed,
  parseOrder,
} from "../../../src/protocol/order.ts";

const requester = new Wallet(`0x${"11".repeat(32)}`).address;
const models = ["ab", "cd", "ef"].map((byte) => `sha256:${byte.repeat(32)}`);
const message = {
  requester: requester.toLowerCase(),
  pool: "main",
  maxPerTaskWei: "2",
  maxTotalWei: "5",
  modelsRoot: anyModel,
  expiresAt: 1_000,
  nonce: "7",
};
const text = (change: object = {}) => JSON.stringify({ message: { ...message, ...change }, signature: "0xab" });

describe("parseOrder", () => {
  test("reads amounts as numbers and the requester in its checksummed form", () => {
    const order = parseOrder(text());
    expect(order.message).toMatchObject({ requester, maxPerTaskWei: 2n, maxTotalWei: 5n, nonce: 7n, expiresAt: 1_000 });
    expect(identifyBudget(order.message)).toBe(`${requester}/7`);
  });

  const bad = [
    { name: "what is no JSON", value: "{" },
    { name: "an order without a message", value: '{"signature":"0x"}' },
    { name: "an amount that is a number", value: text({ maxTotalWei: 5 }) },
    { name: "a negative amount", value: text({ maxTotalWei: "-5" }) },
    { name: "a requester that is no address", value: text({ requester: "0x12" }) },
    { name: "an expiry that is no whole number", value: text({ expiresAt: 1.5 }) },
  ];
  for (const { name, value } of bad) {
    test(`refuses ${name}`, () =>
      expect(() => parseOrder(value)).toThrow(expect.objectContaining({ code: "InvalidOrder" })));
  }
});

describe("isModelAllowed", () => {
  const order = {
    message: { ...parseOrder(text()).message, modelsRoot: computeModelsRoot(models) },
    signature: "0x",
    models,
  };
  test("a listed model is allowed", () => expect(isModelAllowed(order, models[1]!)).toBe(true));
  test("another is not", () => expect(isModelAllowed(order, `sha256:${"00".repeat(32)}`)).toBe(false));
  test("a list that does not hash to the signed root allows nothing", () => {
    expect(isModelAllowed({ ...order, models: models.slice(1) }, models[1]!)).toBe(false);
  });
  test("a root of zeros allows any", () => expect(isModelAllowed(parseOrder(text()), models[0]!)).toBe(true));
});
