const serviceUrl = process.env.FEATURE_SERVICE_URL ?? "http://127.0.0.1:8081";
const TIMEOUT_MS = 5000;

/** Asks the feature service for a day in a city. */
exports.getFeatures = async function getFeatures(location, date) {
  const query = new URLSearchParams({ location, date });
  let response;
  let body;
  try {
    response = await fetch(`${serviceUrl}/features?${query}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await response.json();
  } catch (cause) {
    throw failure(502, "the feature service does not answer", cause);
  }
  if (response.ok) return body;
  throw failure(response.status < 500 ? response.status : 502, body.error);
};

function failure(status, message, cause) {
  return Object.assign(new Error(message, { cause }), { status });
}
