/** Health, version and metrics. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

area("health", (conformance) => {
  conformance("healthz, livez and readyz say ok in plain text", async ({ api }) => {
    for (const path of ["/healthz", "/livez", "/readyz"]) {
      const reply = await api.get(path);
      expect(reply).toMatchObject({ status: 200, body: "ok" });
      expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
    }
  });

  conformance("verbose lists the checks and the sum", async ({ api }) => {
    for (const name of ["healthz", "livez", "readyz"]) {
      const text: string = await api.get(`/${name}?verbose`).expect(200);
      const lines = text.trimEnd().split("\n");
      expect(lines[0]).toBe("[+]ping ok");
      expect(lines).toContain("[+]log ok");
      expect(lines.at(-1)).toBe(`${name} check passed`);
    }
  });

  conformance("readiness has checks that liveness has not", async ({ api }) => {
    expect(await api.get("/readyz?verbose").expect(200)).toContain("[+]shutdown ok\n");
    expect(await api.get("/livez?verbose").expect(200)).not.toContain("]shutdown");
    await api.get("/livez/shutdown").expect(404);
  });

  conformance("a check can be left out", async ({ api }) => {
    const text = await api.get("/readyz?verbose&exclude=log&exclude=ping").expect(200);
    expect(text).toContain("[+]log excluded: ok\n");
    expect(text).toContain("[+]ping excluded: ok\n");
  });

  conformance("leaving out a check that there is not is a warning", async ({ api }) => {
    const text = await api.get("/livez?verbose&exclude=nonsense").expect(200);
    expect(text).toContain('warn: some health checks cannot be excluded: no matches for "nonsense"\n');
    expect(text.endsWith("livez check passed\n")).toBe(true);
  });

  conformance("each check has a path", async ({ api }) => {
    for (const path of ["/livez/ping", "/readyz/ping", "/healthz/log", "/livez/poststarthook/rbac/bootstrap-roles"])
      expect(await api.get(path).expect(200)).toBe("ok");
    await api.get("/livez/nonsense").expect(404);
  });

  conformance("the checks one by one are not for everybody", async ({ api }) => {
    await api.as({ user: "jane" }).get("/livez").expect(200);
    await api.as({ user: "jane" }).get("/livez/ping").refuse(403, "Forbidden");
    await api
      .as({ user: "jane", groups: ["system:monitoring"] })
      .get("/livez/ping")
      .expect(200);
  });

  conformance("version tells what is spoken and what is emulated", async ({ api }) => {
    const version = await api.get("/version").expect(200);
    expect(version).toMatchObject({
      major: "1",
      minor: "36",
      emulationMajor: "1",
      emulationMinor: "36",
      minCompatibilityMajor: "1",
      minCompatibilityMinor: "35",
      gitVersion: expect.stringMatching(/^v1\.36\./),
      platform: expect.stringMatching(/^\w+\/\w+$/),
    });
    await api.get("/version/").expect(200);
  });

  conformance("metrics are in the text format, under Kubernetes' names", async ({ api }) => {
    await api.get("/api/v1/namespaces/default/configmaps").expect(200);
    await api.get("/api/v1/namespaces/default/configmaps/missing").expect(404);
    const reply = await api.get("/metrics");
    expect(String(reply.headers["content-type"])).toMatch(/^text\/plain/);
    const lines = String(reply.body).split("\n");
    const find = (...parts: (string | RegExp)[]) =>
      lines.find((line) => parts.every((part) => (typeof part === "string" ? line.includes(part) : part.test(line))));
    const labels = 'component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",';
    expect(find(`apiserver_request_total{code="200",${labels}`, 'verb="LIST"')).toMatch(/ \d+$/);
    const notFound = ['apiserver_request_total{code="404",', 'resource="configmaps",scope="resource"', 'verb="GET"'];
    expect(find(...notFound)).toMatch(/ \d+$/);
    expect(find(/^apiserver_request_duration_seconds_bucket\{/, labels, 'verb="LIST"', 'le="0.05"')).toMatch(/ \d+$/);
    expect(find('apiserver_current_inflight_requests{request_kind="readOnly"} ')).toBeDefined();
    expect(find(/^apiserver_resource_objects\{/, 'resource="namespaces"')).toMatch(/ \d+$/);
  });

  conformance("an open watch is counted as long-running", async ({ api }) => {
    let text = "";
    const readMetrics = async () => {
      text = await api.get("/metrics").expect(200);
    };
    const path = "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=2";
    await api.watch(path, () => true, { onOpen: readMetrics });
    const lines = text.split("\n").filter((line) => line.startsWith("apiserver_longrunning_requests{"));
    const own = lines.find((line) => line.includes('resource="configmaps",scope="namespace"'));
    expect(own).toMatch(/verb="WATCH",version="v1"\} [1-9]/);
  });

  conformance("metrics are for monitoring only", async ({ api }) => {
    await api.as({ user: "jane" }).get("/metrics").refuse(403, "Forbidden");
    await api
      .as({ user: "jane", groups: ["system:monitoring"] })
      .get("/metrics")
      .expect(200);
  });

  conformance("a path that nothing serves is a 404", async ({ api }) => {
    await api.get("/no-such-path").expect(404);
    await api.get("/apis/no-such-group.example.com").expect(404);
    await api.get("/apis/no-such-group.example.com/v1").expect(404);
    await api.get("/api/v2").expect(404);
  });
});
