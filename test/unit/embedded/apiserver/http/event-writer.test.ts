import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, test } from "vitest";
import { eventLine } from "../../../../../src/embedded/apiserver/http/event-line.ts";
import { EventWriter } from "../../../../../src/embedded/apiserver/http/event-writer.ts";

const texts = ['{"type":"ADDED","object":{"text":"é"}}\n', '{"type":"DELETED"}\n'];

/** The whole answer as it goes over the connection. */
async function answerTo(version: "1.0" | "1.1"): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const writer = new EventWriter(response);
    writer.write(texts.map(eventLine));
    writer.write([eventLine("{}\n")]);
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write(`GET / HTTP/${version}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of client) text += String(chunk);
  server.close();
  return text;
}

describe("lines of a watch", () => {
  test("are chunks of the body, each with its own length in bytes", async () => {
    const body = (await answerTo("1.1")).split("\r\n\r\n").slice(1).join("\r\n\r\n");
    const sizes = texts.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
    expect(body).toBe(`${sizes.join("")}3\r\n{}\n\r\n0\r\n\r\n`);
  });

  test("go unframed to a client of HTTP/1.0, which knows no chunks", async () => {
    const [head = "", body] = (await answerTo("1.0")).split("\r\n\r\n");
    expect(head.toLowerCase()).not.toContain("chunked");
    expect(body).toBe(`${texts.join("")}{}\n`);
  });
});
