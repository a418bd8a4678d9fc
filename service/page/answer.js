// What is said of one picture: the answer, how sure it is, the bars; or why there is none.
// Knows nothing of where answers come from.

import { element, icon } from "./dom.js";
import { blind, headline, named, percent, several, sureness, threshold } from "./words.js";

const SHOWN = 6; // bars; the rest can be opened
const LONG = 12; // letters that a large answer may have on a phone

/** Gives what is to be shown for an entry of the visit. */
export function said(entry, retry) {
  if (entry.answer) return answered(entry);
  if (entry.problem) return failed(entry, retry);
  return element(
    "div",
    { class: "asking" },
    element("p", { class: "eyebrow" }, entry.patience ?? "Looking…"),
    element("div", { class: "bone large" }),
    element("div", { class: "bone" }),
    element("div", { class: "bone" }),
  );
}

/** What those who hear the page are told: one sentence, and one for each subject where there are several. */
export function spoken({ file, answer, problem }) {
  if (problem) return `${file.name}: ${problem.title}. ${problem.message}`;
  const { word, rest } = sureness(answer);
  const subjects = several(answer) ? answer.subjects : [];
  const each = subjects.map((one, index) => ` Number ${index + 1}: ${named(one.label)}, ${sureness(one).word.toLowerCase()}.`);
  return `${file.name}: ${headline(answer)}. ${word}: ${rest}${each.join("")}`;
}

function answered({ file, answer, note }) {
  const { word, rest } = sureness(answer);
  return element(
    "div",
    { class: answer.unsure ? "answer unsure" : "answer" },
    element("p", { class: "eyebrow" }, file.name),
    element("h2", { class: headline(answer).length > LONG ? "label long" : "label" }, headline(answer)),
    element("p", { class: "sure" }, badge(word), ` ${rest}`),
    !blind(answer) && (several(answer) ? each(answer.subjects) : bars(answer)),
    note && element("p", { class: "fine" }, note),
    element("p", { class: "fine by" }, by(answer)),
  );
}

/** The subjects of a picture, numbered as they are on it. */
function each(subjects) {
  return element("ol", { class: "subjects" }, subjects.map((subject) => {
    const { word, rest } = sureness(subject);
    return element("li", {}, element("strong", {}, named(subject.label)), ` ${word}: ${rest}`);
  }));
}

function badge(word) {
  return element("strong", { class: "badge" }, icon(word.toLowerCase()), `${word}:`);
}

function by({ model, ms }) {
  const time = ms === undefined ? "" : ` in ${ms < 10 ? Number(ms).toFixed(1) : Math.round(ms)} ms`;
  return [`${model.name} version ${model.version}, `, element("code", {}, String(model.digest).slice(0, 8)), time];
}

function bars(answer) {
  const { probabilities, label } = answer;
  const shares = Object.entries(probabilities).sort(([, one], [, other]) => other - one);
  const needed = threshold(answer);
  const list = (some) => element("ul", { class: "bars" }, some.map((share) => bar(share, label, needed)));
  const rest = shares.slice(SHOWN);
  return [
    list(shares.slice(0, SHOWN)),
    rest.length > 0 && element("details", {}, element("summary", {}, `${rest.length} more`), list(rest)),
  ];
}

function bar([name, share], label, needed) {
  const best = name === label;
  const fill = element("span", { class: "fill" });
  fill.style.width = `${share * 100}%`; // by the object model: the page's policy forbids style in markup
  const mark = best && needed && element("span", { class: "mark" }, `sure from ${percent(needed)}`);
  if (mark) mark.style.width = `${needed * 100}%`;
  return element(
    "li",
    { class: best ? "best" : null },
    element("span", { class: "name" }, named(name)),
    element("span", { class: "share" }, percent(share)),
    element("span", { class: "track", "aria-hidden": "true" }, fill, mark),
  );
}

function failed({ file, problem }, retry) {
  return element(
    "div",
    { class: "failed" },
    element("p", { class: "eyebrow" }, file.name),
    element("h2", { class: "trouble" }, problem.title),
    element("p", { class: "sure" }, element("strong", { class: "badge" }, icon("trouble"), "No answer:"), ` ${problem.message}`),
    problem.passing && element("button", { type: "button", class: "primary", click: retry }, "Try again"),
  );
}
