// What the day must have cost, worked out beside Tidemark: from the list of chats and two prices.
import { KINDS, TOOL_USAGE } from "./models.mjs";

/** US dollars per million tokens, read and written; from the providers' price lists. */
const PRICES = { "gpt-4o-mini": [0.15, 0.6], "claude-3-5-haiku-latest": [0.8, 4] };

/** @returns by tenant: tokens read and written, and dollars */
export function sheetOf(chats) {
  const sheet = {};
  for (const { tenant, model, kind, agent } of chats) {
    sheet[tenant] ??= { input: 0, output: 0, dollars: 0 };
    for (const [input, output] of agent ? [TOOL_USAGE, KINDS[kind].usage] : [KINDS[kind].usage]) {
      sheet[tenant].input += input;
      sheet[tenant].output += output;
      sheet[tenant].dollars += (input * PRICES[model][0] + output * PRICES[model][1]) / 1e6;
    }
  }
  return sheet;
}

/** What people say of every third answer, by the id of its chat: nobody likes to be refused. */
export function thumbsOf(chats) {
  return chats
    .filter((_, index) => index % 3 === 0 || index % 7 === 3)
    .map(({ id, model, kind }) => ({ id, model, label: kind === "refusal" ? "down" : "up" }));
}

/** A day of three tenants: short and long questions, refusals, agents, and some failed attempts. */
export function dayOfChats() {
  const tenants = ["acme", "globex", "initech"];
  return Array.from({ length: 60 }, (_, index) => {
    const tenant = tenants[index % 7 < 4 ? 0 : (index % 2) + 1];
    const model = index % 3 === 0 ? "claude-3-5-haiku-latest" : "gpt-4o-mini";
    const agent = model === "gpt-4o-mini" && index % 8 === 1;
    const kind = agent ? "agent" : ["short", "short", "long", "refusal"][index % 4];
    const twice = index % 10 === 2 ? " try twice" : "";
    return {
      id: `chat-${index}`,
      tenant,
      model,
      agent,
      kind,
      question: `chat ${index}, kind: ${kind}${twice}`,
    };
  });
}
