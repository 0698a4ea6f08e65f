/** The house style, as far as a program can judge it. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root });
const files = listed
  .toString()
  .split("\n")
  .filter((file) => file && existsSync(join(root, file)));
const sources = files.filter((file) => /\.[cm]?[tj]s$/.test(file));
const packageSources = sources.filter((file) => /^packages\/\w+\/(?:ui\/)?src\//.test(file));
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Module specifiers of imports and re-exports, with whether only types are taken. */
function importsOf(file: string): { from: string; typeOnly: boolean }[] {
  const pattern = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
  return [...read(file).matchAll(pattern)].map(([, type, from = ""]) => ({
    from,
    typeOnly: type !== undefined,
  }));
}

/** A relative import as a path from the root, without its ending. */
function target(file: string, from: string): string {
  return normalize(join(dirname(file), from)).replace(/\.[cm]?[jt]s$/, "");
}

describe("the arrows between packages", () => {
  const allowed: Record<string, string[]> = {
    semconv: [],
    stats: [],
    instrumentation: ["@tidemark/semconv"],
    receiver: ["@tidemark/semconv", "@tidemark/stats"],
  };

  it("instrumentation and receiver meet only over OTLP; stats and semconv know nobody", () => {
    const wrong = packageSources.flatMap((file) => {
      const name = file.split("/")[1] as string;
      return importsOf(file)
        .filter(({ from }) => from.startsWith("@tidemark/"))
        .filter(({ from }) => !allowed[name]?.includes(from))
        .map(({ from }) => `${file} imports ${from}`);
    });
    expect(wrong).toEqual([]);
  });

  it("nobody reaches past a package's index", () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter(({ from }) => /^@tidemark\/[\w-]+\/(?!(?:api|register)$)/.test(from))
        .map(({ from }) => `${file} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it("the page knows nothing but itself, and the receiver takes of it what a browser would", () => {
    const ui = packageSources.filter((file) => file.startsWith("packages/receiver/ui/"));
    const leaving = ui.flatMap((file) =>
      importsOf(file)
        .map(({ from }) => [from, target(file, from)])
        .filter(([from, to]) => !from?.startsWith(".") || !to?.startsWith("packages/receiver/ui/"))
        .map(([from]) => `${file} imports ${from}`),
    );
    expect(ui.length).toBeGreaterThan(10);
    expect(leaving).toEqual([]);
  });

  it("stats reads no clock, no randomness and no file", () => {
    const wrong = packageSources
      .filter((file) => file.startsWith("packages/stats/"))
      .filter((file) => /\bDate\b|Math\.random|from "node:|performance\./.test(read(file)));
    expect(wrong).toEqual([]);
  });
});

describe("the receiver's stages", () => {
  const stages = new Set(["receive", "observe", "evaluate", "forward", "export", "admin"]);
  const folderOf = (path: string) => /^packages\/receiver\/src\/(\w+)\//.exec(path)?.[1] ?? "";

  it("never import each other; main joins them, and admin may name their types", () => {
    const wrong = packageSources.flatMap((file) => {
      const from = folderOf(file);
      if (!stages.has(from)) return [];
      return importsOf(file)
        .filter((imported) => imported.from.startsWith("."))
        .filter((imported) => {
          const to = folderOf(`${target(file, imported.from)}.ts`);
          if (!stages.has(to) || to === from) return false;
          return !(from === "admin" && (imported.typeOnly || ["export", "evaluate"].includes(to)));
        })
        .map((imported) => `${file} imports ${imported.from}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe("files", () => {
  it("have lines of at most 100 columns", () => {
    // Tests are left out for their titles, which are whole sentences.
    const wrong = sources
      .filter((file) => !/(?:^|\/)test\//.test(file))
      .flatMap((file) =>
        read(file)
          .split("\n")
          .flatMap((line, index) =>
            line.length > 100 && !/https?:\/\/\S{60}/.test(line) ? [`${file}:${index + 1}`] : [],
          ),
      );
    expect(wrong).toEqual([]);
  });

  it("are named in kebab-case for what they hold, and never for being leftovers", () => {
    const wrong = packageSources.filter((file) => {
      const name = (file.split("/").at(-1) as string).replace(/\.c?ts$/, "");
      const vague = ["utils", "types", "helpers", "internal", "common"].includes(name);
      return vague || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
    });
    expect(wrong).toEqual([]);
  });

  it("are at most 350 lines long where they are source", () => {
    const wrong = packageSources.filter((file) => read(file).split("\n").length > 351);
    expect(wrong).toEqual([]);
  });

  it("are all reached from an entry point", () => {
    // The page and its documents are what the receiver takes of `ui`, as files and by name.
    const entries = /\/(?:index|cli|register|[a-z-]+-thread|ui\/src\/(?:page|report))\.c?ts$/;
    const reached = new Set(packageSources.filter((file) => entries.test(file)));
    for (const file of reached) {
      for (const { from } of [...importsOf(file), ...requiresOf(file)]) {
        if (!from.startsWith(".")) continue;
        const found = packageSources.find(
          (other) => other.replace(/\.c?ts$/, "") === target(file, from),
        );
        if (found) reached.add(found);
      }
    }
    expect(packageSources.filter((file) => !reached.has(file))).toEqual([]);
  });

  it("spell no attribute or metric name outside semconv", () => {
    const wrong = packageSources
      .filter((file) => !file.startsWith("packages/semconv/"))
      .filter((file) => /"(?:ml|gen_ai)\.[a-z_.]+"/.test(read(file)));
    expect(wrong).toEqual([]);
  });

  it("ship with the sources that their source maps name", () => {
    const manifests = files.filter((file) => /^packages\/\w+\/package\.json$/.test(file));
    const shipped = manifests.map((file) => (JSON.parse(read(file)) as { files: string[] }).files);
    expect(shipped.filter((list) => !list.includes("src") || !list.includes("dist"))).toEqual([]);
    expect(shipped).toHaveLength(4);
  });

  it("ship with the decoder that the build makes", () => {
    const { files: shipped } = JSON.parse(read("packages/receiver/package.json")) as {
      files: string[];
    };
    expect(shipped).toContain("wasm");
    expect(existsSync(join(root, "packages/receiver/wasm/trace-reader.wasm"))).toBe(true);
  });

  it("hold nothing unfinished", () => {
    const marks = /\b(?:T[O]DO|F[I]XME|X[X]X)\b/;
    const wrong = sources.filter((file) => marks.test(read(file)));
    expect(wrong).toEqual([]);
  });
});

describe("documents", () => {
  const documents = files.filter((file) => file.endsWith(".md"));

  it("link only to files and headings that exist", () => {
    const wrong = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
        const [path = "", anchor] = link.split("#");
        const linked = path === "" ? file : normalize(join(dirname(file), path));
        if (!existsSync(join(root, linked))) return [`${file}: ${link}`];
        if (anchor === undefined || !linked.endsWith(".md")) return [];
        return headings(read(linked)).includes(anchor) ? [] : [`${file}: ${link}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("name only tasks that there are, and package.json has those of scripts/run.mjs", () => {
    const scriptsOf = (file: string) =>
      Object.keys((JSON.parse(read(file)) as { scripts?: Record<string, string> }).scripts ?? {});
    const tasks = read("scripts/run.mjs").matchAll(/^ {2}"?([a-z:-]+)"?: \[/gm);
    expect(scriptsOf("package.json").toSorted()).toEqual(
      [...tasks].map(([, task]) => task).toSorted(),
    );
    // Some folders have tasks of their own.
    const manifests = files.filter((file) => basename(file) === "package.json");
    const known = new Set(manifests.flatMap(scriptsOf));
    const wrong = documents.flatMap((file) =>
      [...read(file).matchAll(/\bnpm run ([a-z:-]+)/g)]
        .filter(([, task = ""]) => !known.has(task))
        .map(([named]) => `${file}: ${named}`),
    );
    expect(wrong).toEqual([]);
  });

  it("have pictures of less than a megabyte together", () => {
    const pictures = files.filter((file) => /^docs\/.*\.(?:png|webp|jpe?g|gif|svg)$/.test(file));
    const bytes = pictures.reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
    expect(pictures.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(2 ** 20);
  });

  it("keep ARCHITECTURE.md readable in one sitting", () => {
    expect(read("ARCHITECTURE.md").split("\n").length).toBeLessThanOrEqual(151);
  });
});

function requiresOf(file: string): { from: string }[] {
  const pattern = /(?:require|import)\(\s*"([^"]+)"/g;
  return [...read(file).matchAll(pattern)].map(([, from = ""]) => ({ from }));
}

/** The anchors of a document's headings, as the usual renderers make them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}
