/** What a real API server leaves to its controllers or its set-up: aggregated roles, token secrets, client certificates. */

import { Agent, request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { eventually, startTestServer, type TestServer } from "./api-client.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
let one: TestServer;
beforeAll(async () => {
  one = await startTestServer();
});
afterAll(() => one.stop());

test("roles for people collect the rules of roles with their label, through several levels, and lose them again", async () => {
  const name = "widgets-view";
  await one.api.post(`${rbac}/clusterroles`, {
    metadata: { name, labels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
    rules: [{ apiGroups: ["example.com"], resources: ["widgets"], verbs: ["get"] }],
  });
  const has = async (role: string) =>
    JSON.stringify((await one.api.get(`${rbac}/clusterroles/${role}`)).body.rules).includes("widgets");
  for (const role of ["view", "edit", "admin"]) await eventually(`${role} has it`, () => has(role));
  await one.api.delete(`${rbac}/clusterroles/${name}`);
  for (const role of ["view", "edit", "admin"]) await eventually(`${role} lost it`, async () => !(await has(role)));
});

test("a token secret is filled in, its token is good, and both end with the account", async () => {
  const root = "/api/v1/namespaces/default";
  await one.api.post(`${root}/serviceaccounts`, { metadata: { name: "robot" } });
  const annotations = { "kubernetes.io/service-account.name": "robot" };
  const type = "kubernetes.io/service-account-token";
  await one.api.post(`${root}/secrets`, { metadata: { name: "robot-token", annotations }, type });
  const read = async () => (await one.api.get(`${root}/secrets/robot-token`)).body.data?.token;
  await eventually("the token is there", async () => (await read()) !== undefined);
  const client = one.api.as(Buffer.from(await read(), "base64").toString());
  expect((await client.get("/api")).status).toBe(200);
  await one.api.delete(`${root}/serviceaccounts/robot`);
  expect((await client.get("/api")).status).toBe(401);
  await eventually("the secret is gone", async () => (await one.api.get(`${root}/secrets/robot-token`)).status === 404);
  await client.close();
});

test("a client certificate is a user with groups, and one of another authority is refused", async () => {
  const whoami = async (server: TestServer, agent: Agent) => {
    const reply = await request(`${server.server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
      method: "POST",
      dispatcher: agent,
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    return { status: reply.statusCode, body: (await reply.body.json()) as { status: { userInfo: object } } };
  };
  const config = parse(await one.server.certificateKubeconfig({ user: "jane", groups: ["a", "b"] }));
  const { user } = config.users[0];
  const pem = (field: string) => Buffer.from(user[field], "base64").toString();
  const credentials = { cert: pem("client-certificate-data"), key: pem("client-key-data") };
  const agent = new Agent({ connect: { ca: one.server.caPem, ...credentials } });
  const own = await whoami(one, agent);
  expect(own.status).toBe(201);
  expect(own.body.status.userInfo).toMatchObject({ username: "jane", groups: ["a", "b", "system:authenticated"] });
  const other = await startTestServer();
  const stranger = new Agent({ connect: { ca: other.server.caPem, ...credentials } });
  expect((await whoami(other, stranger)).status).toBe(401);
  await Promise.all([agent.close(), stranger.close(), other.stop()]);
});
