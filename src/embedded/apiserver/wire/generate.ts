/**
 * Writes `messages.json`: the protobuf field numbers of the built-in kinds, read from the struct tags of the Go API
 * sources (modules k8s.io/api and k8s.io/apimachinery, v0.36). kubectl 1.32 and later send the bodies of some
 * commands as protobuf only.
 * Run: `node src/embedded/apiserver/wire/generate.ts SOURCES`, where SOURCES/k8s.io/... holds both modules.
 * Effects: one file.
 */
import { writeFileSync } from "node:fs";
import { GoSources, goFields } from "./go-sources.ts";
import { wireRoots } from "./wire-roots.ts";

type Field = [name: string, type: string, flags: string];

function readMessage(id: string, sources: GoSources): Record<string, Field> {
  const { home, struct } = sources.struct(id);
  const fields: Record<string, Field> = {};
  for (const { goType, json, tag } of struct === undefined ? [] : goFields(struct)) {
    const number = /protobuf:"(?:\w+),(\d+),[^"]*"/.exec(tag)?.[1];
    if (number === undefined) continue;
    const { type, flags } = sources.resolve(goType, home);
    const [name = ""] = json.split(",");
    fields[number] = [name, type, json.includes(",inline") ? `${flags}i` : flags];
  }
  return fields;
}

function generate(root: string): Record<string, Record<string, Field>> {
  const sources = new GoSources(root);
  const pending = new Set<string>(Object.values(wireRoots));
  const messages: Record<string, Record<string, Field>> = {};
  for (const id of pending) {
    messages[id] = readMessage(id, sources);
    for (const [, type] of Object.values(messages[id])) if (type.includes("/")) pending.add(type);
  }
  return Object.fromEntries(Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (import.meta.main) {
  const [root] = process.argv.slice(2);
  if (root === undefined) throw new Error("usage: generate.ts SOURCES");
  const lines = Object.entries(generate(root)).map(([id, fields]) => `${JSON.stringify(id)}:${JSON.stringify(fields)}`);
  writeFileSync(new URL("./messages.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
}
