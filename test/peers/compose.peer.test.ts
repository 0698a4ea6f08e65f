/** docker-compose.yml is sound by Docker Compose's own loader, and agrees with the configuration files. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { json } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { ROOT, runPeer } from "./peer-programs.ts";
import { CONFIG } from "./peer-stack.ts";

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly deploy?: { readonly resources?: { readonly limits?: Record<string, unknown> } };
  readonly healthcheck?: object;
  readonly entrypoint?: readonly string[] | null;
  readonly command?: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly host_ip?: string; readonly target: number }[];
  readonly volumes?: readonly {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
  }[];
}

interface Project {
  readonly services: Readonly<Record<string, Service>>;
}

const { exitCode, output } = await runPeer("compose-check", ["docker-compose.yml"]);
const { services } = (exitCode === 0 ? JSON.parse(output) : { services: {} }) as Project;
const named = Object.entries(services).map(([name, service]) => ({ name, service }));

describe("docker-compose.yml", () => {
  it("is accepted by Docker Compose's own loader", () => {
    expect(exitCode, output).toBe(0);
    expect(Object.keys(services).toSorted()).toEqual([
      "alertmanager",
      "collector",
      "collector-queue-owner",
      "feature-service",
      "grafana",
      "jaeger",
      "prediction-service",
      "prometheus",
      "receiver",
      "traffic",
    ]);
  });

  it.each(named)(
    "$name is built from a file that exists, or from an image of one version",
    ({ service }) => {
      if (service.build) {
        expect(existsSync(join(service.build.context, service.build.dockerfile))).toBe(true);
      } else expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/);
    },
  );

  it.each(named)(
    "$name has bounds, no rights, and is not root but for one that ends",
    ({ name, service }) => {
      expect(service.deploy?.resources?.limits).toMatchObject({
        cpus: expect.anything(),
        memory: expect.anything(),
      });
      expect(service.cap_drop).toEqual(["ALL"]);
      const isRoot = service.user?.startsWith("0") ?? false;
      expect(isRoot).toBe(name === "collector-queue-owner");
      if (isRoot) expect(service.restart).toBe("no");
    },
  );

  it("asks every service that can be asked whether it is well", () => {
    const silent = named.filter(({ service }) => !service.healthcheck).map(({ name }) => name);
    // The Collector's image has no program that could ask; the other two only ask others, or end.
    expect(silent.toSorted()).toEqual([
      "collector",
      "collector-queue-owner",
      "receiver",
      "traffic",
    ]);
  });

  it.each(named)("$name is reached from this machine only", ({ service }) => {
    for (const port of service.ports ?? []) expect(port.host_ip).toBe("127.0.0.1");
  });

  it.each(named)("$name finds its configuration mounted, and cannot change it", ({ service }) => {
    for (const mount of service.volumes ?? []) {
      if (mount.type !== "bind") continue;
      expect(mount.read_only).toBe(true);
      expect(relative(ROOT, mount.source)).toMatch(/^collector-config\//);
      expect(existsSync(mount.source)).toBe(true);
    }
    for (const path of configPaths(service)) expect(existsSync(path), path).toBe(true);
  });

  it("runs the Collector's version whose components the peer tests are built from", () => {
    const pinned = readFileSync(join(ROOT, "test/peers/programs/collector/go.mod"), "utf8");
    const version = /\/collector\/otelcol v(\S+)/.exec(pinned)?.[1];
    expect(services["collector"]?.image).toBe(`otel/opentelemetry-collector-contrib:${version}`);
  });

  it("runs the Prometheus and the Alertmanager that the peer tests run", () => {
    const pinned = (name: string) => {
      const text = readFileSync(join(ROOT, "test/peers/programs", name, "go.mod"), "utf8");
      return new RegExp(`prometheus/${name} v(\\S+)`).exec(text)?.[1];
    };
    expect(services["alertmanager"]?.image).toBe(`prom/alertmanager:v${pinned("alertmanager")}`);
    // Prometheus 3.14.0 is v0.314.0 as a Go module.
    const [, digits = "", patch] = /^0\.(\d+)\.(\d+)$/.exec(pinned("prometheus") ?? "") ?? [];
    const version = `${digits.slice(0, 1)}.${Number(digits.slice(1))}.${patch}`;
    expect(services["prometheus"]?.image).toBe(`prom/prometheus:v${version}`);
  });
});

describe("The traffic of docker-compose.yml", () => {
  it("asks the prediction service for days of the city that it is told", async () => {
    const asked: { location: string; date: string }[] = [];
    const server = createServer((request, response) => {
      const kept = json(request).then((body) => {
        asked.push(body as { location: string; date: string });
        return response.end("{}");
      });
      // It is stopped in the middle of one.
      kept.catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { entrypoint, command } = services["traffic"] ?? {};
    const child = spawn(process.execPath, [...(entrypoint ?? []).slice(1), ...(command ?? [])], {
      env: {
        CITY: "New York",
        PREDICTION_URL: `http://127.0.0.1:${port}/predict`,
        WEATHER_CSV: join(ROOT, "examples/weather/data/weather.csv"),
      },
      stdio: "inherit",
    });
    try {
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(4), 60_000);
    } finally {
      child.kill();
      server.close();
    }
    for (const { location, date } of asked) {
      expect(location).toBe("New York");
      expect(date).toMatch(/^201[2-5]-\d\d-\d\d$/);
    }
  });
});

describe.each(named.filter(({ service }) => service.build))("The image of $name", ({ service }) => {
  it("is given every project that its compiler is told to build or to refer to", () => {
    const text = readFileSync(join(ROOT, service.build?.dockerfile ?? ""), "utf8");
    const copied = [...text.matchAll(/^COPY (\S+) \1$/gm)].map(([, folder]) => folder);
    const projects = [...text.matchAll(/tsc -[bp] (\S+)/g)].map(([, folder]) => folder ?? "");
    expect(projects).not.toHaveLength(0);
    for (const project of projects) {
      const { references = [] } = parse(
        readFileSync(join(ROOT, project, "tsconfig.json"), "utf8"),
      ) as { references?: { path: string }[] };
      const needed = references.map(({ path }) => join(project, path));
      projects.push(...needed.filter((other) => !projects.includes(other)));
    }
    const given = (project: string) =>
      copied.some((folder) => `${project}/`.startsWith(`${folder}/`));
    expect(projects.filter((project) => !given(project))).toEqual([]);
  });
});

describe("The receiver's image", () => {
  it("is built of the workspace packages that the receiver depends on", () => {
    const folders = ["packages/receiver"];
    for (const folder of folders) {
      const manifest = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as {
        dependencies?: Record<string, string>;
      };
      const needed = Object.entries(manifest.dependencies ?? {})
        .filter(([, range]) => range.startsWith("workspace:"))
        .map(([name]) => name.replace("@tidemark/", "packages/"));
      folders.push(...needed.filter((name) => !folders.includes(name)));
    }
    const text = readFileSync(join(ROOT, "packages/receiver/Dockerfile"), "utf8");
    const copied = [...text.matchAll(/^COPY (packages\/\w+) \1$/gm)].map(([, folder]) => folder);
    expect(copied.toSorted()).toEqual(folders.toSorted());
    for (const folder of folders) expect(text).toContain(`COPY ${folder}/package.json ${folder}/`);
  });

  it("runs on the Node that the workspace pins, and is installed by the pnpm that it pins", () => {
    const text = readFileSync(join(ROOT, "packages/receiver/Dockerfile"), "utf8");
    const catalog = readFileSync(join(ROOT, "pnpm-workspace.yaml"), "utf8");
    expect(/ARG NODE=(\S+)/.exec(text)?.[1]).toBe(/^ {2}node: (\S+)/m.exec(catalog)?.[1]);
    const runner = readFileSync(join(ROOT, "scripts/run.mjs"), "utf8");
    const pnpm = /pnpm@[\d.]+/.exec(runner)?.[0];
    expect(new Set(text.match(/pnpm@[\d.]+/g))).toEqual(new Set([pnpm]));
  });
});

describe("The addresses in the configuration files", () => {
  it("name services of docker-compose.yml", () => {
    const files = [
      "collector/collector.yaml",
      "jaeger/jaeger.yaml",
      "tidemark/tidemark.yaml",
      "grafana/provisioning/datasources/datasources.yml",
    ];
    const texts = files.map((file) => readFileSync(join(CONFIG, file), "utf8"));
    const hosts = texts.flatMap((text) => [...text.matchAll(/http:\/\/([a-z-]+):/g)]);
    expect(hosts.length).toBeGreaterThan(4);
    // What a browser on this machine opens is not asked for from within.
    for (const [, host] of hosts) expect([...Object.keys(services), "localhost"]).toContain(host);
  });

  it("are listened on: Prometheus' targets are services", () => {
    const jobs = parse(readFileSync(join(CONFIG, "prometheus", "prometheus.yml"), "utf8")) as {
      scrape_configs: { file_sd_configs: { files: string[] }[] }[];
    };
    const files = jobs.scrape_configs.flatMap((job) =>
      job.file_sd_configs.flatMap((sd) => sd.files),
    );
    for (const file of files.concat("targets/alertmanager.json")) {
      const text = readFileSync(join(CONFIG, "prometheus", file), "utf8");
      for (const { targets } of JSON.parse(text) as { targets: string[] }[]) {
        for (const target of targets) {
          expect(Object.keys(services)).toContain(target.split(":")[0]);
        }
      }
    }
  });

  it.each([
    ["collector", "collector/collector.yaml"],
    ["jaeger", "jaeger/jaeger.yaml"],
    ["receiver", "tidemark/tidemark.yaml"],
  ])(
    "%s is told to listen on the containers' network by a variable that its file reads",
    (name, file) => {
      const text = readFileSync(join(CONFIG, file), "utf8");
      const environment = Object.entries(services[name]?.environment ?? {});
      const [variable] = environment.find(([, value]) => value === "0.0.0.0") ?? [];
      expect(variable).toBeDefined();
      expect(text).toContain(`\${env:${variable}:-127.0.0.1}`);
    },
  );
});

describe("collector-config/README.md", () => {
  it("names every variable that the configuration files read, and no other", () => {
    const collectors = readdirSync(join(CONFIG, "collector")).map((name) => `collector/${name}`);
    const files = [...collectors, "jaeger/jaeger.yaml", "tidemark/tidemark.yaml"];
    const read = files.flatMap((file) =>
      [...readFileSync(join(CONFIG, file), "utf8").matchAll(/\$\{env:(\w+)/g)].map(
        ([, name]) => name,
      ),
    );
    const readme = readFileSync(join(CONFIG, "README.md"), "utf8");
    const listed = [
      ...readme.matchAll(/`((?:COLLECTOR|GRAFANA|JAEGER|TIDEMARK|PROMETHEUS)_\w+)`/g),
    ];
    expect(new Set(listed.map(([, name]) => name))).toEqual(new Set(read));
  });
});

/** The files that a service's command names, as this machine's paths. */
function configPaths({ command, volumes }: Service): string[] {
  const paths = (command ?? []).map((word) => word.replace(/^--config\.file=/, ""));
  return paths.flatMap((path) => {
    const mount = volumes?.find(({ target }) => path.startsWith(`${target}/`));
    return mount && mount.type === "bind" ? [mount.source + path.slice(mount.target.length)] : [];
  });
}
