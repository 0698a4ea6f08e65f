import { describe, expect, it } from "vitest";
import { h, toHtml } from "../ui/src/element.ts";
import { addressOf, placeOf, toModel, toSignal } from "../ui/src/place.ts";
import { ticks, timeTicks } from "../ui/src/scale.ts";
import {
  change,
  duration,
  learningWords,
  METHOD_WORDS,
  number,
  percent,
  withoutName,
} from "../ui/src/words.ts";

describe("Elements as text", () => {
  it("are what a browser reads them as, whatever somebody calls a model", () => {
    const name = `<img src=x onerror="alert('&')">`;
    const element = h("a", { href: "#x", title: name, "data-tip": name }, name);
    const escaped = "&lt;img src=x onerror=&quot;alert('&amp;')&quot;&gt;";
    expect(toHtml(element)).toBe(
      `<a href="#x" title="${escaped}"><title>${escaped}</title>${escaped}</a>`,
    );
  });

  it("have no handlers, no empty attributes and no missing children", () => {
    const element = h("p", { onclick: () => {}, hidden: true, id: undefined }, null, false, 0, [
      "",
    ]);
    expect(toHtml(element)).toBe('<p hidden="">0</p>');
    expect(toHtml(h("br"))).toBe("<br>");
  });
});

describe("The address", () => {
  it("says all of what is shown, and is read as it was written", () => {
    const places = [
      toModel(placeOf(""), "a b/c&d=é", "", "region=eu"),
      toSignal(placeOf("?model=m&version=1&range=7d&window=1h"), "feature.x"),
      placeOf("?model=m&version=&signal=s&from=1&to=2&live=range&against=version:2"),
      placeOf("?view=health"),
      placeOf(""),
    ];
    for (const place of places) {
      const address = addressOf(place);
      expect(placeOf(address === "./" ? "" : address)).toEqual(place);
    }
  });
});

describe("Axes", () => {
  it.each([
    [0, 1, 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]],
    [-3, 12, 3, ["0", "5", "10"]],
    [0, 40_000, 4, ["0", "10k", "20k", "30k", "40k"]],
    [0, 2000, 2, ["0", "1,000", "2,000"]],
    [0, 1.5e15, 3, ["0", "5.0 × 10¹⁴", "1.0 × 10¹⁵", "1.5 × 10¹⁵"]],
    [0, 2e-8, 2, ["0", "1.0 × 10⁻⁸", "2.0 × 10⁻⁸"]],
    [1.7e12, 1.7e12 + 2, 1, ["1,700,000,000,000", "1,700,000,000,002"]],
    [0, 2_000_000, 4, ["0", "0.5M", "1M", "1.5M", "2M"]],
    // A law that is tight and far from zero: each tick differs from the next.
    [999_998, 1_000_002, 2, ["999,998", "1,000,000", "1,000,002"]],
    [5, 5, 4, []],
  ])("from %d to %d have round values", (from, to, wanted, texts) => {
    expect(ticks(from, to, wanted).map(({ text }) => text)).toEqual(texts);
  });

  it("of time begin days at the reader's midnight", () => {
    const from = new Date(2026, 10, 20, 13).getTime();
    const found = timeTicks(from, from + 3 * 86_400_000, 4);
    expect(found.map(({ text }) => text)).toEqual(["11-21", "11-22", "11-23"]);
  });
});

describe("Words", () => {
  it.each([
    [0, "0"],
    [1.1e-48, "1.1 × 10⁻⁴⁸"],
    [0.43614, "0.436"],
    [1234.5, "1,235"],
    [45_678.9, "45,679"],
    [3.2e12, "3.2 × 10¹²"],
    [-0.25, "−0.25"],
    [null, "–"],
  ])("write %s as %s", (value, text) => {
    expect(number(value)).toBe(text);
  });

  it.each([
    [24, 16, "24 → 16"],
    [-0.0718, 0.9303, "−0.07 → 0.93"],
    [1_000_000, 1_000_000.51, "1,000,000 → 1,000,000.51"],
    [0.000_2, 0.000_31, "0.0002 → 0.00031"],
    [2e12, 3e12, "2.0 × 10¹² → 3.0 × 10¹²"],
    [5, 5, ""],
  ])("write the change from %d to %d as %s", (before, now, text) => {
    expect(change(before, now)).toBe(text);
  });

  it("write shares and times with the digits that they deserve", () => {
    expect([0, 0.0004, 0.024, 0.57, 0.995, 1].map(percent)).toEqual([
      "0 %",
      "< 0.1 %",
      "2.4 %",
      "57 %",
      "99.5 %",
      "100 %",
    ]);
    expect([500, 61_000, 3_720_000, 172_800_000].map(duration)).toEqual([
      "0 s",
      "1 min 1 s",
      "1 h 2 min",
      "2 d",
    ]);
    expect(withoutName("a.b", "a.b: it moved", 0)).toBe("It moved");
    expect(withoutName("a.b", "a.b: 20 % moved", 0)).toBe("20\u00a0% moved");
  });

  it("tell times as the reader's clock does", () => {
    const at = new Date(2026, 10, 21, 19, 5).getTime();
    const sentence = `a.b: no value since ${new Date(at).toISOString()}; the rest is older`;
    expect(withoutName("a.b", sentence, at)).toBe("No value since 19:05; the rest is older");
  });

  it("say what is lacking to learn, and no more than that", () => {
    const day = { learnedSpanMs: 3_600_000, neededSpanMs: 86_400_000 };
    expect(learningWords({ learned: 45, needed: 5000, ...day })).toBe(
      "45 of 5,000 values, 1 h of 1 d",
    );
    expect(learningWords({ learned: 6000, needed: 5000, ...day })).toBe("1 h of 1 d");
    const hasty = { learnedSpanMs: 9000, neededSpanMs: 0 };
    expect(learningWords({ learned: 45, needed: 5000, ...hasty })).toBe("45 of 5,000 values");
  });

  it("know every test that a verdict may rest on", () => {
    const methods = ["ks", "hellinger", "arcsine", "fisher", "likelihood"];
    expect(methods.filter((method) => METHOD_WORDS[method] === undefined)).toEqual([]);
  });
});
