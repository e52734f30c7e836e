/** Admission of pods: the Pod Security Standards that a namespace's labels ask for. */
import { expect } from "vitest";
import { area, type Body, type CaseTools } from "./support/conformance-case.ts";

const prefix = "pod-security.kubernetes.io";
const image = "registry.example.com/app:1";
const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
const aPod = (name: string, spec: object = {}, securityContext?: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image, ...(securityContext && { securityContext }) }], ...spec },
});

/** A namespace of its own with these labels; the path of its pods. */
async function labelled(tools: CaseTools, labels: Record<string, string>): Promise<string> {
  const ns = await tools.namespace();
  await tools.api.patch(`/api/v1/namespaces/${ns}`, "merge", { metadata: { labels } }).expect(200);
  return tools.path("pods");
}

const warningsOf = (reply: { headers: Record<string, unknown> }) => [reply.headers.warning ?? []].flat().map(String);

area("admission: pod security", (conformance) => {
  conformance("the restricted standard refuses a plain pod with every reason", async (tools) => {
    const pods = await labelled(tools, { [`${prefix}/enforce`]: "restricted" });
    const status = await tools.api.post(pods, aPod("plain")).refuse(403, "Forbidden");
    expect(status.message).toBe(
      'pods "plain" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
    await tools.api.post(pods, aPod("hardened", {}, hardened)).expect(201);
  });

  conformance("the baseline standard takes a plain pod and refuses known escalations", async (tools) => {
    const pods = await labelled(tools, { [`${prefix}/enforce`]: "baseline" });
    await tools.api.post(pods, aPod("plain")).expect(201);
    const refused = async (name: string, spec: object, securityContext?: object) =>
      (await tools.api.post(pods, aPod(name, spec, securityContext)).refuse(403, "Forbidden")).message as string;
    const because = (name: string, why: string) =>
      `pods "${name}" is forbidden: violates PodSecurity "baseline:latest": ${why}`;
    expect(await refused("b", { hostNetwork: true, hostPID: true })).toBe(
      because("b", "host namespaces (hostNetwork=true, hostPID=true)"),
    );
    expect(await refused("c", { volumes: [{ name: "host", hostPath: { path: "/" } }] })).toBe(
      because("c", 'hostPath volumes (volume "host")'),
    );
    expect(await refused("d", {}, { capabilities: { add: ["NET_ADMIN", "CHOWN"] } })).toBe(
      because(
        "d",
        'non-default capabilities (container "main" must not include "NET_ADMIN" in securityContext.capabilities.add)',
      ),
    );
    const ports = [{ containerPort: 80, hostPort: 8080 }];
    expect(await refused("e", { containers: [{ name: "main", image, ports }] })).toBe(
      because("e", 'hostPort (container "main" uses hostPort 8080)'),
    );
    expect(await refused("f", { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } })).toBe(
      because("f", "forbidden sysctls (kernel.msgmax)"),
    );
  });

  conformance("several violations of the baseline are told together", async (tools) => {
    const pods = await labelled(tools, { [`${prefix}/enforce`]: "baseline", [`${prefix}/enforce-version`]: "v1.36" });
    const status = await tools.api
      .post(pods, aPod("bad", { hostIPC: true }, { procMount: "Default", seLinuxOptions: { user: "root" } }))
      .refuse(403, "Forbidden");
    expect(status.message).toContain(
      'violates PodSecurity "baseline:v1.36": host namespaces (hostIPC=true), seLinuxOptions (container "main" set forbidden securityContext.seLinuxOptions: user may not be set)',
    );
  });

  conformance("restricted volumes and explicit root are refused", async (tools) => {
    const pods = await labelled(tools, { [`${prefix}/enforce`]: "restricted" });
    const volumes = [{ name: "share", nfs: { server: "s", path: "/" } }];
    const status = await tools.api
      .post(pods, aPod("bad", { volumes, securityContext: { runAsUser: 0 } }, hardened))
      .refuse(403, "Forbidden");
    expect(status.message).toContain(
      'restricted volume types (volume "share" uses restricted volume type "nfs"), runAsUser=0 (pod must not set runAsUser=0)',
    );
  });

  conformance("a warning is a header, and the pod is made", async (tools) => {
    const pods = await labelled(tools, { [`${prefix}/warn`]: "baseline" });
    const reply = await tools.api.post(pods, aPod("warned", { hostNetwork: true }));
    expect(reply.status).toBe(201);
    expect(warningsOf(reply).join()).toContain(
      'would violate PodSecurity \\"baseline:latest\\": host namespaces (hostNetwork=true)',
    );
    expect(warningsOf(await tools.api.post(pods, aPod("fine")))).toEqual([]);
  });

  conformance("a workload with such a template is made, with a warning", async (tools) => {
    await labelled(tools, { [`${prefix}/enforce`]: "restricted" });
    const labels = { app: "web" };
    const reply = await tools.api.post(await tools.path("deployments", "apps/v1"), {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "main", image }] } },
      },
    });
    expect(reply.status).toBe(201);
    expect(warningsOf(reply).join()).toContain('would violate PodSecurity \\"restricted:latest\\"');
  });

  conformance("labels must name a level and a version", async (tools) => {
    const ns = await tools.namespace();
    const label = (labels: Record<string, string>) =>
      tools.api.patch(`/api/v1/namespaces/${ns}`, "merge", { metadata: { labels } });
    const status: Body = await label({ [`${prefix}/enforce`]: "strict" }).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: `metadata.labels[${prefix}/enforce]`,
        message: 'Invalid value: "strict": must be one of privileged, baseline, restricted',
      },
    ]);
    await label({ [`${prefix}/warn-version`]: "1.30" }).refuse(422, "Invalid");
    await label({ [`${prefix}/audit`]: "restricted", [`${prefix}/audit-version`]: "v1.30" }).expect(200);
  });

  conformance("who makes a namespace stricter is warned of the pods in it", async (tools) => {
    const ns = await tools.namespace();
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("old", { hostNetwork: true })).expect(201);
    const labels = { [`${prefix}/enforce`]: "baseline" };
    const reply = await tools.api.patch(`/api/v1/namespaces/${ns}`, "merge", { metadata: { labels } });
    expect(reply.status).toBe(200);
    const warnings = warningsOf(reply).join("\n");
    expect(warnings).toContain(
      `existing pods in namespace \\"${ns}\\" violate the new PodSecurity enforce level \\"baseline:latest\\"`,
    );
    expect(warnings).toContain("old: host namespaces");
    await tools.api.patch(`${pods}/old`, "merge", { metadata: { labels: { a: "b" } } }).expect(200);
  });
});
