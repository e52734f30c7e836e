/**
 * Reads Kubernetes protobuf bodies as the JSON they stand for. Go writes every field that is not a pointer, zero or
 * not, so zero values of such fields are taken as absent, as `omitempty` does in JSON. Pure.
 */
import { isObject, type JsonObject, setField } from "../json-value.ts";
import messages from "./messages.json" with { type: "json" };
import { ProtobufError, ProtobufReader } from "./protobuf-reader.ts";
import { readWellKnown } from "./well-known.ts";
import { deleteOptionsMessage, wireRoots } from "./wire-roots.ts";

type Field = readonly [name: string, type: string, flags: string];
type Message = Readonly<Record<string, Field>>;

const definitions = messages as unknown as Readonly<Record<string, Message>>;
const magic = Buffer.from("k8s\0", "latin1");

/** Throws ProtobufError for bytes that are no such body, or of a kind that has no built-in message. */
export function decodeProtobuf(bytes: Buffer): JsonObject {
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw new ProtobufError("the body does not start with the Kubernetes protobuf prefix");
  const envelope = readFields(bytes.subarray(magic.length), {
    1: ["typeMeta", "TypeMeta", "p"],
    2: ["raw", "bytes", "p"],
  });
  const { apiVersion = "", kind = "" } = envelope.typeMeta as { apiVersion?: string; kind?: string };
  const raw = Buffer.from(String(envelope.raw ?? ""), "base64");
  const id = kind === "DeleteOptions" ? deleteOptionsMessage : wireRoots[`${apiVersion}/${kind}`];
  const message = id === undefined ? undefined : definitions[id];
  if (message === undefined)
    throw new ProtobufError(`no protobuf form of ${apiVersion} ${kind} is known; send it as JSON`);
  return { apiVersion, kind, ...readFields(raw, message) };
}

const typeMeta: Message = { 1: ["apiVersion", "string", ""], 2: ["kind", "string", ""] };

function readFields(bytes: Buffer, message: Message): JsonObject {
  const reader = new ProtobufReader(bytes);
  const result: JsonObject = {};
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    const field = message[String(number)];
    if (field === undefined) reader.skip(wireType);
    else store(result, field, readValue(reader, wireType, field));
  }
  return result;
}

function store(result: JsonObject, field: Field, value: unknown): void {
  const [name, , flags] = field;
  if (flags.includes("i")) Object.assign(result, value);
  else if (flags.includes("m")) storeEntry(result, name, value);
  else if (flags.includes("r")) setField(result, name, [...((result[name] as unknown[] | undefined) ?? []), value]);
  else if (flags.includes("p") || !isZero(value)) setField(result, name, value);
}

function storeEntry(result: JsonObject, name: string, entry: unknown): void {
  const { key = "", value } = entry as { key?: string; value?: unknown };
  const map: JsonObject = isObject(result[name]) ? result[name] : {};
  setField(map, key, value ?? "");
  result[name] = map;
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === false || value === null) return true;
  return isObject(value) && Object.keys(value).length === 0;
}

function readValue(reader: ProtobufReader, wireType: number, field: Field): unknown {
  const [, type, flags] = field;
  if (flags.includes("m"))
    return readFields(reader.bytes(wireType), { 1: ["key", "string", ""], 2: ["value", type, "p"] });
  if (type === "string") return reader.bytes(wireType).toString("utf8");
  if (type === "bytes") return reader.bytes(wireType).toString("base64");
  if (type === "bool") return reader.varint(wireType) !== 0;
  if (type === "int") return reader.varint(wireType);
  if (type === "double") return reader.double(wireType);
  if (type === "TypeMeta") return readFields(reader.bytes(wireType), typeMeta);
  const known = readWellKnown(type, () => reader.bytes(wireType));
  if (known !== undefined) return known.value;
  return readFields(reader.bytes(wireType), definitions[type] ?? {});
}
