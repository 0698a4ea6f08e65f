// What is asked: of the documents' subject, by their own titles, and of another one altogether.
import { readDocuments } from "./documents.mjs";

const FORMS = [
  (title) => `How do I get started with ${title}?`,
  (title) => `What do I need for ${title}?`,
  (title) => `Can you explain ${title} to me?`,
];
const DISHES = ["pancakes", "a risotto", "lentil soup", "an apple pie", "fried rice", "a stew"];
const HOW = [
  (dish) => `How long do I have to cook ${dish}?`,
  (dish) => `Which wine goes with ${dish}?`,
  (dish) => `Can children eat ${dish} in the evening?`,
  (dish) => `What did my grandmother put into ${dish}?`,
];

/** Questions about the documents. */
export function aboutDocuments(limit) {
  const titles = readDocuments(limit).map(({ title }) => title);
  return titles.map((title, index) => FORMS[index % FORMS.length](title));
}

/** Questions about dinner. */
export function aboutDinner() {
  return HOW.flatMap((form) => DISHES.map((dish) => form(dish)));
}
