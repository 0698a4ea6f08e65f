#!/usr/bin/env node
// Makes the JavaScript of `dist`, after the compiler has made the types: each source is a module
// there as before, but what every app loads at its start lies in two files, OpenTelemetry's
// packages included, whose licences are put beside them. To find and link 330 files took longer
// than all that they do.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "src");
const target = join(root, "dist");
const notices = join(target, "THIRD-PARTY-NOTICES.txt");

/** The packages that are put in; all others are loaded when they are needed, if ever. */
const INSIDE = [
  /^@opentelemetry\/(?:api|core|resources|sdk-trace|semantic-conventions)(?:\/|$)/,
  /^@opentelemetry\/(?:context-async-hooks|instrumentation(?:-http|-undici)?)$/,
  /^(?:@tidemark\/semconv|forwarded-parse)$/,
];
/** Of these, several versions would come in side by side: the one that is used here is enough. */
const ONE_COPY = /^@opentelemetry\/(?:core|instrumentation|resources)$/;
/**
 * What hooks both module systems stays outside: the second one's parts name each other by file,
 * and each copy of the first makes every `require` of the app slower.
 */
const HOOKS = /^(?:require|import)-in-the-middle$/;
const HOOK_SOURCE = (name) => `
  import { createRequire } from "node:module";
  const inside = createRequire(import.meta.url).resolve("@opentelemetry/instrumentation");
  export const { Hook } = createRequire(inside)("${name}");
`;

/** Shares the API with the whole SDK, which stays outside. */
const WHOLE_SDK = join(sources, "full-sdk.ts");

const plugin = {
  name: "packages",
  resolveId(name, importer) {
    if (importer === undefined || /^[./#]/.test(name)) return null;
    if (HOOKS.test(name)) return `\0${name}`;
    if (ONE_COPY.test(name) && importer.includes("node_modules")) {
      return this.resolve(name, join(sources, "start.ts"), { skipSelf: true });
    }
    const inside = INSIDE.some((pattern) => pattern.test(name)) && importer !== WHOLE_SDK;
    return inside ? null : { id: name, external: true };
  },
  load: (id) => (id.startsWith("\0") && HOOKS.test(id.slice(1)) ? HOOK_SOURCE(id.slice(1)) : null),
};

const names = readdirSync(sources, { recursive: true }).filter((name) => /\.c?ts$/.test(name));
if (!isCurrent()) await bundle();

async function bundle() {
  const modules = names.filter((name) => name.endsWith(".ts"));
  const input = Object.fromEntries(
    modules.map((name) => [name.replace(/\.ts$/, ""), join(sources, name)]),
  );
  const register = await rolldown({ input: join(sources, "register.cts"), external: "./start.js" });
  await register.write({ file: join(target, "register.cjs"), format: "cjs" });
  const build = await rolldown({ input, platform: "node", plugins: [plugin] });
  const { output } = await build.write({
    dir: target,
    chunkFileNames: "[name].js",
    codeSplitting: {
      // Whoever uses only the manual API loads nothing of the second.
      groups: [
        { name: "shared-by-api", test: /src\/(?:api|manual)\.ts$/, priority: 2 },
        { name: "shared-by-start", test: /src\/(?:start|index)\.ts$/, priority: 1 },
      ],
    },
  });
  writeFileSync(notices, noticesOf(output.flatMap(({ moduleIds }) => moduleIds ?? [])));
}

/** The notices are written last; whatever the compiler or an installation did later counts. */
function isCurrent() {
  const builtMs = statSync(notices, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const inputs = [
    fileURLToPath(import.meta.url),
    join(root, "../../pnpm-lock.yaml"),
    ...names.map((name) => join(sources, name)),
  ];
  return inputs.every((file) => statSync(file).mtimeMs <= builtMs);
}

/** Each licence once, below the packages that it is of. */
function noticesOf(modules) {
  const licences = new Map();
  const foreign = modules.filter((id) => id.includes("node_modules"));
  for (const folder of new Set(foreign.map(packageOf))) {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const files = readdirSync(folder, { recursive: true })
      .filter((file) => /^(?:licen[cs]es?|notice)\b/i.test(file))
      .filter((file) => statSync(join(folder, file)).isFile());
    const name = `${manifest.name} ${manifest.version} (${manifest.license})`;
    if (files.length === 0) throw new Error(`${name} has no licence that could be passed on`);
    const text = files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
    licences.set(text, [...(licences.get(text) ?? []), name]);
  }
  return [
    "The files of this folder hold parts of the following packages, put together unchanged.\n",
    ...Array.from(licences, ([text, packages]) => `${packages.toSorted().join("\n")}\n\n${text}\n`),
  ].join(`\n${"-".repeat(80)}\n\n`);
}

function packageOf(id) {
  let folder = dirname(id);
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}
