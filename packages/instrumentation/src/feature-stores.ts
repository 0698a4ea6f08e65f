/**
 * OpenTelemetry's own instrumentations of databases, for those that the app has: their spans lie
 * within the feature retrieval that asks them. Statements are recorded without their values.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Span } from "@opentelemetry/api";
import { ProxyTracerProvider } from "@opentelemetry/api";
import type { Instrumentation } from "@opentelemetry/instrumentation";
import { guarded } from "./complain.js";

/** A database's client. */
interface Store {
  /** The client's package, and what else of it may be loaded as an ES module. */
  readonly modules: readonly string[];
  readonly start: () => Instrumentation;
}

const require = createRequire(import.meta.url);

/** A literal in a statement: a quoted text, or a number that is no part of a name or a `$1`. */
const LITERAL = /'(?:[^']|'')*'|(?<![\w$.])\d+(?:\.\d+)?\b/g;
const QUERY_TEXT = "db.query.text";

/** Keys and values are arguments: the command alone is recorded. */
const commandOnly = { dbStatementSerializer: (command: string) => command };

/** A statement may hold values that are no parameters. */
function hideValues(span: Span, { query }: { readonly query: { readonly text?: string } }): void {
  const text = query.text?.replaceAll(LITERAL, "?");
  if (text !== undefined) span.setAttribute(QUERY_TEXT, text);
}

const STORES: Readonly<Record<string, Store>> = {
  redis: {
    modules: ["redis", "@redis/client"],
    start(): Instrumentation {
      const name = "@opentelemetry/instrumentation-redis";
      const { RedisInstrumentation } = require(
        name,
      ) as typeof import("@opentelemetry/instrumentation-redis");
      return new RedisInstrumentation(commandOnly);
    },
  },
  ioredis: {
    modules: ["ioredis"],
    start(): Instrumentation {
      const name = "@opentelemetry/instrumentation-ioredis";
      const { IORedisInstrumentation } = require(
        name,
      ) as typeof import("@opentelemetry/instrumentation-ioredis");
      return new IORedisInstrumentation(commandOnly);
    },
  },
  pg: {
    modules: ["pg", "pg-pool"],
    start(): Instrumentation {
      const name = "@opentelemetry/instrumentation-pg";
      const { PgInstrumentation } = require(
        name,
      ) as typeof import("@opentelemetry/instrumentation-pg");
      return new PgInstrumentation({ requestHook: hideValues });
    },
  },
  mongodb: {
    modules: ["mongodb"],
    start(): Instrumentation {
      const name = "@opentelemetry/instrumentation-mongodb";
      const { MongoDBInstrumentation } = require(
        name,
      ) as typeof import("@opentelemetry/instrumentation-mongodb");
      return new MongoDBInstrumentation();
    },
  },
};

/** The clients that the app has and that are chosen. */
export interface InstalledStores {
  /** Packages that may be loaded as ES modules. */
  readonly modules: readonly string[];
  /** Hooks them; returns what ends their spans. */
  start(): () => void;
}

/** Looks for the clients that the app has, of those that are chosen. */
export function installedStores(isChosen: (name: string) => boolean): InstalledStores {
  const found = Object.entries(STORES).filter(
    ([name, { modules }]) => isChosen(name) && isInstalled(modules[0] as string),
  );
  return {
    modules: found.flatMap(([, { modules }]) => modules),
    start() {
      const started = found.map(([name, { start }]) => guarded(`hooking ${name}`, start));
      return () => {
        for (const each of started) each?.setTracerProvider(new ProxyTracerProvider());
      };
    },
  };
}

/** Whether the program, or what lies in the working directory, can load the package. */
function isInstalled(name: string): boolean {
  const folders = [process.cwd(), ...(process.argv[1] ? [dirname(process.argv[1])] : [])];
  return folders.some((folder) => {
    try {
      createRequire(join(folder, "x.js")).resolve(name);
      return true;
    } catch {
      return false;
    }
  });
}
