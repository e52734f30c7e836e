/**
 * JSON patches (RFC 6902) as the real server applies them: `-` appends, negative indices count from the end, and a replace
 * of a field that is not there adds it. Any operation that does not apply fails the whole patch. Pure: the document is not changed.
 */
import { cloneJson, deepEqual, isObject, type JsonObject, setField, showValue } from "../json-value.ts";

/** An operation that is malformed (before anything is applied) or that does not apply. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
}

/** Its fields are checked one by one, when it is applied. */
type Operation = JsonObject;

export function readOperations(patch: unknown): readonly Operation[] | undefined {
  return Array.isArray(patch) && patch.every(isObject) ? patch : undefined;
}

export function applyJsonPatch(document: unknown, operations: readonly Operation[]): unknown {
  return operations.reduce((current, operation) => applyOperation(current, operation), cloneJson(document));
}

function applyOperation(document: unknown, operation: Operation): unknown {
  const path = readPointer(operation, "path");
  switch (operation.op) {
    case "add":
      return put(document, path, cloneJson(requireValue(operation)), "add");
    case "remove":
      return take(document, path).rest;
    case "replace":
      return put(document, path, cloneJson(requireValue(operation)), "replace");
    case "move": {
      const { rest, value } = take(document, readPointer(operation, "from"));
      return put(rest, path, value, "add");
    }
    case "copy":
      return put(document, path, cloneJson(read(document, readPointer(operation, "from"))), "add");
    case "test":
      return test(document, path, operation);
    default:
      throw new JsonPatchError(`Unexpected kind: ${showValue(operation.op)}`);
  }
}

function requireValue(operation: Operation): unknown {
  if (!Object.hasOwn(operation, "value")) throw new JsonPatchError(`operation ${showValue(operation.op)} has no value`);
  return operation.value;
}

function test(document: unknown, path: readonly string[], operation: Operation): unknown {
  const found = readOrUndefined(document, path);
  const wanted = operation.value ?? null;
  if (deepEqual(found ?? null, wanted)) return document;
  throw new JsonPatchError(`testing value ${showValue(operation.path)} failed: test failed`);
}

function readPointer(operation: Operation, field: "path" | "from"): readonly string[] {
  const pointer = operation[field];
  if (typeof pointer !== "string" || (pointer !== "" && !pointer.startsWith("/")))
    throw new JsonPatchError(`${showValue(operation.op)} operation has a bad ${field}: ${JSON.stringify(pointer)}`);
  const names = pointer.split("/").slice(1);
  return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function missing(path: readonly string[]): JsonPatchError {
  return new JsonPatchError(`doc is missing path: ${JSON.stringify(`/${path.join("/")}`)}: missing value`);
}

function readOrUndefined(document: unknown, path: readonly string[]): unknown {
  let current = document;
  for (const name of path) {
    if (Array.isArray(current)) current = current[indexOf(current, name, current.length - 1)];
    else current = isObject(current) && Object.hasOwn(current, name) ? current[name] : undefined;
    if (current === undefined) return undefined;
  }
  return current;
}

function read(document: unknown, path: readonly string[]): unknown {
  const value = readOrUndefined(document, path);
  if (value === undefined) throw missing(path);
  return value;
}

function indexOf(list: readonly unknown[], name: string, last: number): number {
  if (!/^(0|-?[1-9]\d*)$/.test(name)) throw new JsonPatchError(`strconv.Atoi: parsing ${JSON.stringify(name)}`);
  const index = Number(name);
  const counted = index < 0 ? list.length + index : index;
  if (counted < 0 || counted > last) throw new JsonPatchError(`Unable to access invalid index: ${name}`);
  return counted;
}

function parentOf(document: unknown, path: readonly string[]): { parent: unknown[] | JsonObject; name: string } {
  const parent = read(document, path.slice(0, -1));
  const name = path.at(-1);
  if (name === undefined || (!Array.isArray(parent) && !isObject(parent))) throw missing(path);
  return { parent, name };
}

/** Changes the document, which is this patch's own copy. */
function put(document: unknown, path: readonly string[], value: unknown, how: "add" | "replace"): unknown {
  if (path.length === 0) return value;
  const { parent, name } = parentOf(document, path);
  if (!Array.isArray(parent)) setField(parent, name, value);
  else if (how === "replace") parent[indexOf(parent, name, parent.length - 1)] = value;
  else parent.splice(name === "-" ? parent.length : insertionIndex(parent, name), 0, value);
  return document;
}

/** One more place than there are items, so that a negative index counts from behind the last. */
function insertionIndex(list: readonly unknown[], name: string): number {
  return indexOf([...list, undefined], name, list.length);
}

function take(document: unknown, path: readonly string[]): { rest: unknown; value: unknown } {
  const value = read(document, path);
  const { parent, name } = parentOf(document, path);
  if (Array.isArray(parent)) parent.splice(indexOf(parent, name, parent.length - 1), 1);
  else delete parent[name];
  return { rest: document, value };
}
