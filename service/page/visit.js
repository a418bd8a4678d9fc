// The last pictures of this visit: thumbnails with their answers. In memory only; gone with the tab.
// Knows nothing of the service.

import { element, icon } from "./dom.js";
import { thumbnail } from "./pictures.js";
import { blind, headline, named } from "./words.js";

/** As many pictures are kept; the oldest make way. */
export const KEPT = 60;

/** Gives what a picture is to the page: shown at once, answered later. */
export function entryOf(file) {
  return { file, note: null, url: URL.createObjectURL(file), answer: null, problem: null, patience: null, grid: null };
}

/** The strip of thumbnails. `choose` is called with the entry that a person wants to see again. */
export class Strip {
  constructor(list, choose) {
    this.list = list;
    this.choose = choose;
    this.entries = [];
  }

  /** Puts an entry first. */
  add(entry) {
    entry.picture = element("span", { class: "thumb" });
    entry.words = element("span", { class: "words" });
    entry.button = element("button", { type: "button", click: () => this.choose(entry) }, entry.picture, entry.words);
    entry.item = element("li", {}, entry.button);
    this.list.prepend(entry.item);
    this.entries.push(entry);
    thumbnail(entry.file).then((canvas) => entry.picture.replaceChildren(canvas ?? icon("trouble")));
    while (this.entries.length > KEPT) this.drop(this.entries.shift());
    this.update(entry);
  }

  /** Shows what has become of an entry. */
  update(entry) {
    const { answer, problem } = entry;
    const text = answer ? headline(answer) : problem ? "No answer" : "…";
    entry.words.replaceChildren(text, answer?.unsure ? element("span", { class: "spoken" }, ", unsure") : "");
    entry.button.dataset.state = answer ? (answer.unsure ? "unsure" : "sure") : problem ? "failed" : "pending";
    entry.button.title = entry.file.name;
  }

  /** Shows which one is looked at. */
  mark(entry) {
    for (const other of this.entries) other.button.setAttribute("aria-pressed", String(other === entry));
  }

  /** Forgets them all. */
  clear() {
    for (const entry of this.entries.splice(0)) this.drop(entry);
  }

  drop(entry) {
    URL.revokeObjectURL(entry.url);
    entry.item.remove();
    entry.dropped = true;
  }
}

/** How many there are of each answer, as a sentence; "" for fewer than two. */
export function tally(entries) {
  if (entries.length < 2) return "";
  const counts = new Map();
  for (const { answer, problem } of entries) {
    const told = answer && (blind(answer) ? answer.reason : named(answer.label));
    const name = told ?? (problem ? "without an answer" : "on the way");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return `${entries.length} pictures: ${[...counts].map(([name, count]) => `${count} ${name}`).join(", ")}.`;
}
