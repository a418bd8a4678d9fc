// The page: meets the model, takes pictures and asks about them one after another.
// How the service is asked, what is said and what is drawn live in the modules beside it.

import { spoken } from "./answer.js";
import * as api from "./api.js";
import { answer } from "./asking.js";
import { camera } from "./camera.js";
import { whole } from "./facts.js";
import { listen } from "./pictures.js";
import { Stage } from "./stage.js";
import { KEPT, Strip, entryOf, tally } from "./visit.js";
import { choice, named, title } from "./words.js";

const FEW = 4; // classes that fit into a question
const PROMISE = "See the answer, how sure it is, and what the model looked at.";
const NOTHING = "There was no picture in that. Choose a file, or copy the picture itself.";
const ASK_FOR_KEY = "Ask whoever runs it. The key stays in this tab and is gone when you close it.";
const WRONG_KEY = "The service does not know that key. Check it, or ask whoever runs the service.";

const at = Object.fromEntries([...document.querySelectorAll("[id]")].map((found) => [found.id, found]));
const stage = new Stage(at, { preprocess: () => facts?.preprocess, retry, changed });
const strip = new Strip(at.strip, show);
let facts = null;
let queue = Promise.resolve();

// The model

async function meet() {
  try {
    facts = await api.facts();
  } catch (problem) {
    if (problem.status === 401) askForKey();
    return;
  }
  at.key.hidden = true;
  at.model.hidden = at.about.hidden = false;
  document.title = at.title.textContent = title(facts.name);
  at.lead.textContent = `${question(facts.classes)} ${PROMISE}`;
  at.version.textContent = `Version ${facts.version}`;
  at.example.hidden = facts.preprocess?.crop === "none"; // the example is of a domain
  at.digest.textContent = String(facts.digest).slice(0, 8);
  at.facts.replaceChildren(whole(facts));
}

function question(classes) {
  return classes.length > FEW ? `One of ${classes.length} answers.` : `Is it ${choice(classes.map(named))}?`;
}

function askForKey() {
  at["key-help"].textContent = api.hasKey() ? WRONG_KEY : ASK_FOR_KEY;
  at.key.hidden = false;
  at.secret.focus();
  announce(at["key-help"].textContent);
}

async function keyGiven(event) {
  event.preventDefault();
  api.useKey(at.secret.value.trim());
  at.secret.value = "";
  await meet();
  if (!at.key.hidden) return;
  at.choose.focus();
  again((problem) => problem.status === 401);
}

// Pictures

function take(files) {
  notice(files.length ? "" : NOTHING);
  if (!files.length) return;
  if (files.length > KEPT) notice(`The first ${KEPT} of ${files.length} are asked about: no more are kept at once.`);
  const entries = files.slice(0, KEPT).map(entryOf);
  document.body.classList.remove("empty");
  at.visit.hidden = false;
  for (const entry of entries.toReversed()) strip.add(entry);
  show(entries[0]);
  for (const entry of entries) enqueue(entry);
  queue = queue.then(() => announce(entries.length > 1 ? tally(entries) : spoken(entries[0])));
}

function show(entry) {
  stage.show(entry);
  strip.mark(entry);
  at.tally.textContent = tally(strip.entries);
}

function enqueue(entry) {
  queue = queue.then(() => entry.dropped || settle(entry)).catch(console.error); // the next picture is none the worse
}

async function settle(entry) {
  await answer(entry, () => changed(entry));
  changed(entry);
  if (entry.problem?.status === 401) askForKey();
}

function changed(entry) {
  strip.update(entry);
  at.tally.textContent = tally(strip.entries);
  if (entry === stage.entry) stage.update();
  if (entry.answer && entry.answer.model.digest !== facts?.digest) meet(); // another version has taken over
}

function retry(entry) {
  entry.problem = null;
  changed(entry);
  enqueue(entry);
  queue = queue.then(() => announce(spoken(entry)));
}

function again(which) {
  strip.entries.filter(({ problem }) => problem && which(problem)).forEach(retry);
}

function forget() {
  strip.clear();
  stage.clear();
  notice("");
  at.visit.hidden = true;
  document.body.classList.add("empty");
  at.choose.focus();
  announce("Forgotten.");
}

// Words for all

function notice(text) {
  at.notice.textContent = text;
  at.notice.hidden = !text;
  if (text) announce(text);
}

function announce(text) {
  at.live.textContent = "";
  setTimeout(() => (at.live.textContent = text), 50); // a line that says the same again is heard again
}

listen(at, take);
at.choose.addEventListener("click", () => at.files.click());
at.camera.addEventListener("click", camera(at, take));
at.example.addEventListener("click", () => api.example().then((file) => take([file]), ({ message }) => notice(message)));
at.forget.addEventListener("click", forget);
at.key.addEventListener("submit", keyGiven);
at.model.addEventListener("click", () => (at.about.open = true));
addEventListener("online", () => again((problem) => problem.status === 0));
document.addEventListener("visibilitychange", () => document.hidden || meet());
meet();
