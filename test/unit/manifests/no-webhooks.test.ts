import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);

const filesOf = (folder: string) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ya?ml|tpl)$/.test(name))
    .map((name) => `${folder}${name}`);

// A webhook on the path of pods or tasks fails what it does not answer in time: CEL, in the server itself, does not.
test("nothing that is installed has a webhook, for admission or conversion", () => {
  const files = [...filesOf("charts/inferium/"), ...filesOf("manifests/"), ...filesOf("crds/")];
  expect(files.length).toBeGreaterThan(20);
  const withWebhook = files.filter((file) =>
    /kind:\s*(Validating|Mutating)WebhookConfiguration|strategy:\s*Webhook/.test(
      readFileSync(new URL(file, root), "utf8"),
    ),
  );
  expect(withWebhook).toEqual([]);
});
