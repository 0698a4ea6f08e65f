/** The manifests are sound by kustomize and Kubernetes' own types, and agree with the receiver and its image. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { ROOT, runPeer } from "./peer-programs.ts";
import { CONFIG, Stack } from "./peer-stack.ts";

const FOLDER = join(CONFIG, "kubernetes");
const stack = new Stack();
afterAll(() => stack.end());

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly ports?: readonly { readonly port: number }[];
    readonly template?: { readonly spec: { readonly containers: readonly Container[] } };
  };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

const { exitCode, output } = await runPeer("kubernetes-check", [FOLDER]);
const manifests = parseAllDocuments(exitCode === 0 ? output : "").map(
  (document) => document.toJS() as Manifest,
);
const [container] =
  manifests.find(({ kind }) => kind === "StatefulSet")?.spec?.template?.spec.containers ?? [];

describe("collector-config/kubernetes", () => {
  it("is what kustomize can build and Kubernetes knows every field of", () => {
    expect(exitCode, output).toBe(0);
    expect(manifests.map(({ kind }) => kind).toSorted()).toEqual([
      "ConfigMap",
      "Namespace",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "Service",
      "ServiceAccount",
      "StatefulSet",
    ]);
  });

  it("would be refused with a field that does not exist, so accepting says something", async () => {
    const folder = stack.folder();
    cpSync(FOLDER, folder, { recursive: true });
    const file = join(folder, "stateful-set.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("  replicas: 1", "  replica: 1"));
    const broken = await runPeer("kubernetes-check", [folder]);
    expect(broken.exitCode).not.toBe(0);
    expect(broken.output).toContain('unknown field "spec.replica"');
  });

  it("runs the receiver's image on its ports, writing only where it may", () => {
    const dockerfile = readFileSync(join(ROOT, "packages/receiver/Dockerfile"), "utf8");
    const exposed = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(" ").map(Number);
    expect(container?.ports.map(({ containerPort }) => containerPort)).toEqual(exposed);
    const service = manifests.find(({ kind }) => kind === "Service");
    expect(service?.spec?.ports?.map(({ port }) => port)).toEqual(exposed);
    const config = parse(readFileSync(join(FOLDER, "tidemark.yaml"), "utf8")) as {
      service: { storage: { directory: string } };
    };
    const mounted = container?.volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounted).toContain(config.service.storage.directory);
    expect(container?.args.at(-1)).toBe("/etc/tidemark/tidemark.yaml");
    expect(mounted).toContain("/etc/tidemark");
  });
});
