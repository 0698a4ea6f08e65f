/** Metrics of applications for a test, sent over OTLP/HTTP. */

/**
 * Sends gauges as of now, each with the given labels, as an application's OpenTelemetry SDK does.
 * @throws Error when the endpoint does not answer 200
 */
export async function sendGauges(
  otlpUrl: string,
  labels: Readonly<Record<string, string>>,
  values: readonly (readonly [{ readonly name: string; readonly unit: string }, number])[],
): Promise<void> {
  const attributes = Object.entries(labels).map(([key, stringValue]) => {
    return { key, value: { stringValue } };
  });
  const timeUnixNano = `${Date.now()}000000`;
  const metrics = values.map(([{ name, unit }, asDouble]) => {
    return { name, unit, gauge: { dataPoints: [{ timeUnixNano, asDouble, attributes }] } };
  });
  const service = `sends-${Object.keys(labels)[0]}`;
  const resource = { attributes: [{ key: "service.name", value: { stringValue: service } }] };
  const response = await fetch(`${otlpUrl}/v1/metrics`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }),
  });
  if (response.status !== 200) throw new Error(await response.text());
}
