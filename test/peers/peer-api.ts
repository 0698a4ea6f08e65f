/** What the tests ask the peers, over the HTTP APIs that people and dashboards use. */

/** @throws Error when the answer is not 200. */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${body}`);
  return JSON.parse(body) as T;
}

export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly service: string;
  /** The traces that it links to. */
  readonly links: readonly string[];
  /** By key; an array is an array of its elements. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Jaeger's spans of the traces in which a service took part during the last hours. */
export async function storedSpans(
  queryUrl: string,
  service: string,
  tracesMax: number,
): Promise<StoredSpan[]> {
  const hourMs = 3_600_000;
  const from = new Date(Date.now() - 3 * hourMs).toISOString();
  const to = new Date(Date.now() + hourMs).toISOString();
  // Jaeger 2.13 wants the names with underscores, later releases prefer the others.
  const params = new URLSearchParams({
    "query.service_name": service,
    "query.serviceName": service,
    "query.start_time_min": from,
    "query.startTimeMin": from,
    "query.start_time_max": to,
    "query.startTimeMax": to,
    "query.num_traces": String(tracesMax),
    "query.searchDepth": String(tracesMax),
  });
  return spansAt(`${queryUrl}/api/v3/traces?${params}`);
}

/** The traces that Jaeger's search page finds by tags of a service's spans, in the last hours. */
export async function tracesWithTags(
  queryUrl: string,
  service: string,
  tags: Readonly<Record<string, string>>,
): Promise<string[]> {
  const nowUs = Date.now() * 1000;
  const params = new URLSearchParams({
    service,
    tags: JSON.stringify(tags),
    start: String(nowUs - 3 * 3_600_000_000),
    end: String(nowUs + 3_600_000_000),
    limit: "1500",
  });
  const { data } = await getJson<{ data: { traceID: string }[] }>(
    `${queryUrl}/api/traces?${params}`,
  );
  return data.map(({ traceID }) => traceID);
}

/** The spans of one trace; none when Jaeger does not know it. */
export function traceSpans(queryUrl: string, traceId: string): Promise<StoredSpan[]> {
  return spansAt(`${queryUrl}/api/v3/traces/${traceId}`);
}

async function spansAt(url: string): Promise<StoredSpan[]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  // Nothing found is a 404 there.
  if (response.status === 404) return [];
  if (response.status !== 200) throw new Error(`Jaeger answered ${response.status}: ${body}`);
  const { result } = JSON.parse(body) as { result: TracesData };
  return result.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const about = plainAttributes(resource.attributes);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        ...(span.parentSpanId ? { parentSpanId: span.parentSpanId } : {}),
        name: span.name,
        links: (span.links ?? []).map(({ traceId }) => traceId),
        service: String(about["service.name"]),
        attributes: plainAttributes(span.attributes),
      })),
    );
  });
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Numbers as they were scraped, oldest first. */
  readonly values: readonly number[];
}

/** Prometheus' values of an expression over the last `minutes`, a second apart. */
export async function promRange(url: string, query: string, minutes = 30): Promise<Series[]> {
  const end = Date.now() / 1000;
  const params = new URLSearchParams({
    query,
    start: String(end - minutes * 60),
    end: String(end),
    step: "1",
  });
  const answer = await getJson<RangeAnswer>(`${url}/api/v1/query_range?${params}`);
  return answer.data.result.map(({ metric, values }) => ({
    metric,
    values: values.map(([, value]) => Number(value)),
  }));
}

/** Prometheus' value of an expression now: the sum over its series, 0 when there is none. */
export async function promValue(url: string, query: string): Promise<number> {
  const params = new URLSearchParams({ query: `sum(${query})` });
  const { data } = await getJson<InstantAnswer>(`${url}/api/v1/query?${params}`);
  return Number(data.result[0]?.value?.[1] ?? 0);
}

/** The series of a selector now, each as its labels and its `value`. */
export async function promSeries(url: string, selector: string): Promise<Record<string, string>[]> {
  const params = new URLSearchParams({ query: selector });
  const { data } = await getJson<InstantAnswer>(`${url}/api/v1/query?${params}`);
  // A native histogram has no value.
  return data.result.flatMap(({ metric, value }) =>
    value ? [{ ...metric, value: value[1] }] : [],
  );
}

/** The traces that the exemplars of a selector lead to, of the last hours. */
export async function promExemplars(url: string, query: string): Promise<string[]> {
  const now = Date.now() / 1000;
  const range = { start: String(now - 3 * 3600), end: String(now + 60) };
  const params = new URLSearchParams({ query, ...range });
  const { data } = await getJson<ExemplarAnswer>(`${url}/api/v1/query_exemplars?${params}`);
  return data.flatMap(({ exemplars }) =>
    exemplars.map(({ labels }) => labels["trace_id"] ?? "no trace"),
  );
}

interface ExemplarAnswer {
  readonly data: readonly {
    readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[];
  }[];
}

interface RangeAnswer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

interface InstantAnswer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
    }[];
  };
}

interface TracesData {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes?: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly KeyValue[];
  readonly links?: readonly { readonly traceId: string }[];
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}

function plainAttributes(attributes: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: AnyValue): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}
