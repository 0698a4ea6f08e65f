const BODY_BYTES_MAX = 10_000;

/** Reads `{location, date}` from a request; an error with a status says what is wrong with it. */
exports.readQuestion = async function readQuestion(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  if (bytes > BODY_BYTES_MAX) throw refusal(413, `the body has more than ${BODY_BYTES_MAX} bytes`);
  let question;
  try {
    question = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw refusal(400, "the body is no JSON");
  }
  const { location, date } = question ?? {};
  if (typeof location !== "string" || typeof date !== "string") {
    throw refusal(400, 'the body must be like {"location":"Seattle","date":"2014-03-01"}');
  }
  return { location, date };
};

function refusal(status, message) {
  return Object.assign(new Error(message), { status });
}
