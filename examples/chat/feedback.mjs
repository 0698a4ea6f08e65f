// Thumbs, as any service may send them: a log record each, which is OpenTelemetry's event for
// evaluations. The id is the one that tidemark.instrumentation.yaml finds in the question.
export async function sendFeedback(endpoint, thumbs) {
  const logRecords = thumbs.map(({ id, label }) => ({
    timeUnixNano: `${Date.now()}000000`,
    eventName: "gen_ai.evaluation.result",
    attributes: Object.entries({
      "gen_ai.evaluation.name": "thumbs",
      "gen_ai.evaluation.score.label": label,
      "ml.prediction.id": id,
    }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  }));
  const response = await fetch(`${endpoint}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
  });
  if (!response.ok) throw new Error(`feedback: ${response.status} ${await response.text()}`);
}
