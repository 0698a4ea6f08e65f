/** Which attributes and events the spans of a library have, whatever their values. */
import { gunzipSync } from "node:zlib";
import { TraceRequest } from "../../packages/receiver/src/otlp/schema.ts";
import type { Delivery } from "../../packages/receiver/test/otlp-sink.ts";

interface Keyed {
  readonly key: string;
}
interface Spans {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly {
      readonly scope?: { readonly name?: string };
      readonly spans?: readonly {
        readonly attributes?: readonly Keyed[];
        readonly events?: readonly { readonly name?: string }[];
      }[];
    }[];
  }[];
}

/** Of each scope, sorted. */
export type SpanKeys = Readonly<Record<string, readonly string[]>>;

/** Those of requests in OTLP's JSON form. */
export function keysIn(...requests: readonly object[]): SpanKeys {
  const keys = new Map<string, Set<string>>();
  const all = (requests as readonly Spans[]).flatMap(({ resourceSpans = [] }) => resourceSpans);
  for (const { scope, spans = [] } of all.flatMap(({ scopeSpans = [] }) => scopeSpans)) {
    const name = scope?.name ?? "";
    const own = keys.get(name) ?? new Set();
    keys.set(name, own);
    for (const { attributes = [], events = [] } of spans) {
      for (const { key } of attributes) own.add(key);
      for (const event of events) own.add(`event ${event.name}`);
    }
  }
  return Object.fromEntries([...keys].map(([name, own]) => [name, [...own].toSorted()]));
}

/** Those of requests as they were delivered, in either form. */
export function keysInDeliveries(deliveries: readonly Delivery[]): SpanKeys {
  return keysIn(...deliveries.map(decoded));
}

function decoded({ headers, body }: Delivery): object {
  const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  const isJson = headers["content-type"]?.includes("json");
  return isJson ? (JSON.parse(plain.toString()) as object) : TraceRequest.decode(plain);
}
