/** The real Alertmanager tells whom it should, in the words that it should, and holds back the rest. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { runPeer } from "./peer-programs.ts";
import { CONFIG, Stack, startAlertmanager } from "./peer-stack.ts";
import { startHttpSink, startSmtpSink } from "./sinks.ts";

let stack = new Stack();
afterEach(async () => {
  await stack.end();
  stack = new Stack();
});

type Labels = Readonly<Record<string, string>>;

const NUMBERS = "wind of weather 2 differs over the last 5m: ks 0.431 (threshold 0.1)";
const PLAYBOOK = "http://localhost:9464/playbooks/MlDriftDetected";
const PAGE = "http://localhost:9464/?model=weather&version=2&signal=feature.wind&window=5m";
const WAIT = { timeout: 60_000, interval: 200 };

const DRIFT: Labels = {
  alertname: "MlDriftDetected",
  severity: "warning",
  category: "data",
  model_name: "weather",
  model_version: "2",
  signal: "feature.wind",
  window: "5m",
  instance: "a:9464",
};
const ERRORS: Labels = {
  alertname: "MlPredictionErrorsHigh",
  severity: "critical",
  category: "system",
  model_name: "weather",
  model_version: "2",
};

async function started() {
  const http = await startHttpSink();
  const smtp = await startSmtpSink();
  const alertmanager = await stack.add(
    startAlertmanager(stack.folder(), {
      slackUrl: `${http.url}/slack`,
      pagerdutyUrl: `${http.url}/pagerduty`,
      retrainingUrl: `${http.url}/retraining`,
      smtpAddress: smtp.address,
    }),
  );
  stack.addSink(http);
  stack.addSink(smtp);
  const post = async (alerts: readonly Labels[], endsAt?: Date) => {
    const body = alerts.map((labels) => ({
      labels,
      annotations: {
        summary: `${labels["alertname"]} fires`,
        description: NUMBERS,
        page_url: PAGE,
        runbook_url: PLAYBOOK,
      },
      generatorURL: "http://localhost:9090/graph?g0.expr=ml_drift_detected",
      ...(endsAt ? { endsAt: endsAt.toISOString() } : {}),
    }));
    const response = await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.status, await response.text()).toBe(200);
  };
  const sent = (path: string) =>
    http.received.filter((one) => one.path === path).map(({ body }) => body);
  return { post, sent, mails: smtp.mails };
}

/** Of what went to Slack: colour, title, text and the buttons' targets. */
function slackMessage(body: Record<string, unknown> | undefined) {
  const [attachment] = (body?.["attachments"] ?? []) as {
    color: string;
    title: string;
    text: string;
    actions: { url: string }[];
  }[];
  const { color, title, text, actions } = attachment ?? {};
  return { channel: body?.["channel"], color, title, text, links: actions?.map(({ url }) => url) };
}

describe("A drift", () => {
  it("is told in the channel with its numbers, page and playbook, and again when it is over", async () => {
    const { post, sent } = await started();
    await post([DRIFT, { ...DRIFT, signal: "feature.tmin" }]);
    await vi.waitFor(() => expect(sent("/slack")).toHaveLength(1), WAIT);
    const told = slackMessage(sent("/slack")[0]);
    expect(told).toMatchObject({
      channel: "#ml-alerts",
      color: "warning",
      title: "MlDriftDetected of weather (2)",
      links: [PLAYBOOK, "http://localhost:3000/d/tidemark-model?var-model=weather"],
    });
    expect(told.text).toContain(NUMBERS);
    expect(told.text).toContain(`${PAGE}\n${PLAYBOOK}`);

    await post([DRIFT, { ...DRIFT, signal: "feature.tmin" }], new Date());
    await vi.waitFor(() => expect(sent("/slack")).toHaveLength(2), WAIT);
    expect(slackMessage(sent("/slack")[1])).toMatchObject({
      color: "good",
      title: "Resolved: MlDriftDetected of weather (2)",
    });
  });

  it("starts a retraining job once, with all that is known, and does not stop it", async () => {
    const { post, sent } = await started();
    await post([DRIFT]);
    await vi.waitFor(() => expect(sent("/retraining")).toHaveLength(1), WAIT);
    expect(sent("/retraining")[0]).toMatchObject({
      status: "firing",
      groupLabels: { model_name: "weather", model_version: "2" },
      alerts: [{ labels: DRIFT, annotations: { description: NUMBERS } }],
    });
    // What is over before it was told is never told.
    await vi.waitFor(() => expect(sent("/slack")).toHaveLength(1), WAIT);
    await post([DRIFT], new Date());
    await vi.waitFor(() => expect(sent("/slack")).toHaveLength(2), WAIT);
    expect(sent("/retraining")).toHaveLength(1);
  });
});

describe("What somebody must get up for", () => {
  it("rings the pager, says so in the channel, and ends the incident", async () => {
    const { post, sent } = await started();
    await post([ERRORS]);
    await vi.waitFor(() => expect(sent("/pagerduty")).toHaveLength(1), WAIT);
    const [incident] = sent("/pagerduty");
    expect(incident).toMatchObject({
      routing_key: "pagerduty-key",
      event_action: "trigger",
      payload: {
        summary: "MlPredictionErrorsHigh fires",
        severity: "critical",
        component: "weather",
        class: "system",
      },
      links: [{ href: PLAYBOOK, text: "Playbook" }],
    });
    expect(JSON.stringify(incident)).toContain(NUMBERS);
    await vi.waitFor(() => expect(sent("/slack")).toHaveLength(1), WAIT);
    expect(slackMessage(sent("/slack")[0]).color).toBe("danger");

    await post([ERRORS], new Date());
    await vi.waitFor(() => expect(sent("/pagerduty")).toHaveLength(2), WAIT);
    expect(sent("/pagerduty")[1]).toMatchObject({
      event_action: "resolve",
      dedup_key: incident?.["dedup_key"],
    });
  });
});

describe("A spent budget", () => {
  it("is a mail to those who spend, with the password from its file, and no noise elsewhere", async () => {
    const { post, sent, mails } = await started();
    const budget = { alertname: "LlmCostBudgetSpent", severity: "warning", category: "llm" };
    await post([{ ...budget, tenant: "acme", currency: "USD" }]);
    await vi.waitFor(() => expect(mails).toHaveLength(1), WAIT);
    const [mail] = mails;
    expect(mail?.login).toBe("\u0000tidemark\u0000smtp-password");
    expect(mail?.from).toContain("<tidemark@example.com>");
    expect(mail?.to.join()).toContain("<ml-team@example.com>");
    expect(mail?.data).toContain("Subject: LlmCostBudgetSpent fires");
    expect(mail?.data.replaceAll("=\n", "")).toContain("ks 0.431");
    expect(sent("/slack")).toEqual([]);
  });
});

describe("What explains the rest", () => {
  const DOWN = { alertname: "TidemarkReceiverDown", severity: "critical", category: "receiver" };

  it.each([
    ["a receiver that is down", { ...DOWN, instance: "a:9464" }, DRIFT],
    ["calls that fail", ERRORS, DRIFT],
    ["a model that nobody asks", { ...ERRORS, alertname: "MlPredictionTrafficLow" }, DRIFT],
    ["many signals at once", { ...DRIFT, alertname: "MlDriftWidespread" }, DRIFT],
    ["calls that fail", ERRORS, { ...ERRORS, alertname: "MlPredictionLatencyHigh" }],
  ])("holds it back: %s", async (_, cause, effect) => {
    const { post, sent } = await started();
    const other = { ...effect, model_name: "other", instance: "b:9464" };
    await post([cause, effect, other]);
    const told = () => sent("/slack").map((body) => slackMessage(body).title);
    await vi.waitFor(() => expect(told()).toHaveLength(2), WAIT);
    // What is held back would be in the group of its own name and model, or make it two.
    expect(told().toSorted()).toEqual(
      [`${cause["alertname"]} fires`, `${effect["alertname"]} fires`].toSorted(),
    );
  });
});

describe("alertmanager.yml", () => {
  it.each([
    ["severity=critical category=system alertname=MlPredictionErrorsHigh", "pagerduty,slack"],
    ["severity=warning category=data alertname=MlDriftDetected", "retraining,slack"],
    ["severity=critical category=data alertname=MlDriftWidespread", "pagerduty,retraining,slack"],
    ["severity=warning category=model alertname=MlCalibrationOff", "slack"],
    ["severity=warning category=llm alertname=LlmTokenBudgetSpent", "email"],
    ["severity=warning category=gpu alertname=GpuStarved", "slack"],
  ])("sends %s to %s", async (labels, receivers) => {
    const file = `--config.file=${CONFIG}/alertmanager/alertmanager.yml`;
    const args = ["config", "routes", "test", file, ...labels.split(" ")];
    const { output } = await runPeer("amtool", args);
    expect(output.trim()).toBe(receivers);
  });
});
