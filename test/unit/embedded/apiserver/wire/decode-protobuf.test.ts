import { describe, expect, test } from "vitest";
import { decodeProtobuf } from "../../../../../src/embedded/apiserver/wire/decode-protobuf.ts";
import { ProtobufError } from "../../../../../src/embedded/apiserver/wire/protobuf-reader.ts";

const varint = (value: number): Buffer =>
  value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(Math.floor(value / 128))]);
const field = (number: number, content: Buffer | string | number): Buffer => {
  if (typeof content === "number") return Buffer.concat([varint(number << 3), varint(content)]);
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
};
const message = (...fields: Buffer[]) => Buffer.concat(fields);
const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
  Buffer.concat([
    Buffer.from("k8s\0", "latin1"),
    field(1, message(field(1, apiVersion), field(2, kind))),
    field(2, raw),
    field(3, ""),
    field(4, ""),
  ]);

describe("protobuf bodies", () => {
  test("maps, bytes and absent zero values of a secret", () => {
    const data = message(field(1, "password"), field(2, Buffer.from([0xff, 0x00])));
    const raw = message(
      field(1, message(field(1, "s"), field(3, ""), field(8, message()))),
      field(2, data),
      field(3, "Opaque"),
    );
    expect(decodeProtobuf(envelope("v1", "Secret", raw))).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { password: "/wA=" },
      type: "Opaque",
    });
  });

  test("a pointer's zero is kept, inlined messages are merged, quantities and int-or-strings are read", () => {
    const limits = message(field(1, "cpu"), field(2, message(field(1, "500m"))));
    const probe = message(
      field(1, message(field(2, message(field(1, "/"), field(2, message(field(1, 0), field(2, 8080))))))),
      field(2, 0),
    );
    const container = message(field(1, "c"), field(8, message(field(1, limits))), field(10, probe));
    const volume = message(field(1, "v"), field(2, message(field(2, message()))));
    const spec = message(field(1, volume), field(2, container), field(4, 0), field(11, 0));
    expect(decodeProtobuf(envelope("v1", "Pod", message(field(2, spec)))).spec).toEqual({
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [
        { name: "c", resources: { limits: { cpu: "500m" } }, livenessProbe: { httpGet: { path: "/", port: 8080 } } },
      ],
      terminationGracePeriodSeconds: 0,
    });
  });

  test("a micro-time keeps six digits, unknown fields are skipped", () => {
    const spec = message(
      field(1, "me"),
      field(4, message(field(1, 1_767_225_600), field(2, 123_456_000))),
      field(99, "new"),
      field(98, 7),
    );
    expect(decodeProtobuf(envelope("coordination.k8s.io/v1", "Lease", message(field(2, spec)))).spec).toEqual({
      holderIdentity: "me",
      renewTime: "2026-01-01T00:00:00.123456Z",
    });
  });

  test("delete options come under any group version", () => {
    const raw = message(field(1, 0), field(4, "Background"));
    expect(decodeProtobuf(envelope("apps/v1", "DeleteOptions", raw))).toMatchObject({
      gracePeriodSeconds: 0,
      propagationPolicy: "Background",
    });
  });

  const broken: Array<{ name: string; bytes: Buffer; want: RegExp }> = [
    { name: "no prefix", bytes: Buffer.from("{}"), want: /does not start with the Kubernetes protobuf prefix/ },
    {
      name: "an unknown kind",
      bytes: envelope("example.com/v1", "Widget", message()),
      want: /no protobuf form of example\.com\/v1 Widget/,
    },
    {
      name: "a cut message",
      bytes: envelope("v1", "Secret", Buffer.from([0x0a, 0x50, 0x01])),
      want: /ends inside of a field/,
    },
    {
      name: "a number without end",
      bytes: envelope("v1", "Secret", Buffer.alloc(12, 0xff)),
      want: /longer than ten bytes/,
    },
    { name: "a wrong wire type", bytes: envelope("v1", "Secret", field(3, 5)), want: /wire type 0, expected 2/ },
  ];
  test.each(broken)("$name is refused", ({ bytes, want }) => {
    expect(() => decodeProtobuf(bytes)).toThrow(want);
    expect(() => decodeProtobuf(bytes)).toThrow(ProtobufError);
  });
});
