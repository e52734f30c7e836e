/** Rows of a constraint system as the set-up reads them: equal ones together, a common factor taken out, and damage refused by name. */
import { describe, expect, test } from "vitest";
import { fieldPrime, mod, readElement } from "../../../../src/zk/field.ts";
import { type Combination, ConstraintSystem } from "../../../../src/zk/r1cs/constraint-system.ts";
import { encodeR1cs } from "../../../../src/zk/r1cs/r1cs-file.ts";
import { groupRows } from "../../../../src/zk/setup/group-rows.ts";
import { readTerms } from "../../../../src/zk/setup/read-terms.ts";

const large = 0x1234567890abcdefn ** 3n;

function encode(...rows: readonly Combination[]): Buffer {
  const system = new ConstraintSystem();
  system.addWires("wire", 5);
  for (const row of rows) system.constrain(row, [], row);
  return encodeR1cs(system, { publicOutputs: 1, publicInputs: 0, privateInputs: 1 });
}

function group(...rows: readonly Combination[]) {
  const { size, terms } = readTerms(encode(...rows));
  const groups = groupRows(terms, size);
  const value = (index: number) => readElement(groups.values, 32 * index);
  const entries = (wire: number) => {
    const [from, to] = [groups.wireStarts[wire] ?? 0, groups.wireStarts[wire + 1] ?? 0];
    return [...groups.wireGroups.subarray(from, to)].map((of, index) => [
      of,
      value(groups.wireCoefficients[from + index] ?? 0),
    ]);
  };
  const rowsOf = (of: number) => {
    const [from, to] = [groups.rowStarts[of] ?? 0, groups.rowStarts[of + 1] ?? 0];
    return [...groups.rows.subarray(from, to)].map((row, index) => [row, value(groups.rowFactors[from + index] ?? 0)]);
  };
  return { groups, entries, rowsOf };
}

describe("rows", () => {
  test("that are equal are one group, wherever they stand", () => {
    const { groups, entries, rowsOf } = group(
      [
        [1, 5n],
        [2, large],
      ],
      [
        [1, 5n],
        [2, large],
      ],
    );
    // A and C of two constraints; then the constant and one public wire.
    expect(groups.groupCount).toBe(3);
    expect(rowsOf(0)).toEqual([
      [0, 1n],
      [2, 1n],
      [3, 1n],
      [5, 1n],
    ]);
    expect([...groups.sides]).toEqual([5, 1, 1]);
    expect(entries(1)).toEqual([
      [0, 5n],
      [2, 1n],
    ]);
    expect(entries(2)).toEqual([[0, large]]);
    expect(rowsOf(2)).toEqual([[9, 1n]]);
  });

  test("that differ in a wire, a coefficient or their length are not", () => {
    expect(
      group(
        [[1, 5n]],
        [[2, 5n]],
        [[1, 6n]],
        [
          [1, 5n],
          [2, 5n],
        ],
      ).groups.groupCount,
    ).toBe(4 + 2);
  });

  test("of bits over a large number are bits, times the number", () => {
    const bits = [1, 2, 3, 4].map((wire, bit) => [wire, mod(large << BigInt(bit))] as const);
    const { entries, rowsOf } = group(bits);
    expect([1, 2, 3, 4].map((wire) => entries(wire)[0]?.[1])).toEqual([1n, 2n, 4n, 8n]);
    expect(rowsOf(0)).toEqual([
      [0, large],
      [2, large],
    ]);
  });

  test("without a common factor stay as they are", () => {
    const row = [
      [1, large],
      [2, mod(large * large)],
      [3, mod(large ** 3n)],
    ] as const;
    const { entries, rowsOf } = group(row);
    expect(entries(2)).toEqual([[0, mod(large * large)]]);
    expect(rowsOf(0)).toEqual([
      [0, 1n],
      [2, 1n],
    ]);
  });

  test("take the least domain above constraints and public wires", () => {
    const sizeOf = (count: number) =>
      readTerms(encode(...Array.from({ length: count }, () => [[1, 1n]] as const))).size.domainSize;
    expect([0, 1, 2, 3, 6, 7].map(sizeOf)).toEqual([2, 4, 4, 8, 8, 16]);
  });
});

describe("a constraint system is refused where it", () => {
  const constraintsAt = 12 + 12;
  test.each([
    ["names a wire that it does not have", 4, Buffer.from([9]), /names wire 9 of 6/],
    ["has a coefficient that is not reduced", 8, Buffer.alloc(32, 255), /not below the field's prime/],
    ["ends within its constraints", 0, Buffer.from([200]), /ends within its constraints/],
  ])("%s", (_, offset, bytes, message) => {
    const file = encode([[1, 5n]]);
    bytes.copy(file, constraintsAt + offset);
    expect(() => readTerms(file)).toThrow(
      expect.objectContaining({ code: "InvalidR1cs", message: expect.stringMatching(message) }),
    );
  });

  test("goes on after its constraints", () => {
    const file = encode([[1, 5n]], [[1, 5n]]);
    // After the section of constraints and the header's prime, counts of wires and count of labels.
    const countAt = constraintsAt + Number(file.readBigUInt64LE(16)) + 12 + 4 + 32 + 16 + 8;
    expect(file.writeUInt32LE(1, countAt)).toBe(countAt + 4);
    expect(() => readTerms(file)).toThrow(expect.objectContaining({ message: expect.stringMatching(/goes on after/) }));
  });

  test("is over another field", () => {
    const file = encode([[1, 5n]]);
    const at = file.indexOf(Buffer.from(fieldPrime.toString(16), "hex").reverse());
    file.writeUInt8((file.readUInt8(at) + 2) % 256, at);
    expect(() => readTerms(file)).toThrow(expect.objectContaining({ code: "InvalidR1cs" }));
  });
});
