// One picture's way to its answer: a copy where the service would not take the original, and the reason where there is none.
// Knows nothing of what is shown.

import { Problem, ask } from "./api.js";
import { copy, foreign, readable } from "./pictures.js";

const NO_FILE = "It is a folder, or a file that is gone. Open the folder and take the pictures in it.";
const OTHER_TYPE = "Asked about a JPEG copy: the service does not take the original's type.";
const SMALLER = "Asked about a smaller copy: the original is larger than the service takes, or of a kind it does not read.";
const LARGE = 4 * 2 ** 20; // bytes: a copy is sent sooner, and shows all that a network sees
const REFUSED = [400, 413]; // a picture that is too large, or that a browser may read all the same

/** Gives an entry its answer or its problem; `changed` is called when there is something new to show meanwhile. */
export async function answer(entry, changed) {
  Object.assign(entry, { problem: null, patience: null, note: null });
  try {
    if (!(await readable(entry.file))) throw new Problem(400, NO_FILE);
    const other = await replaced(entry, foreign(entry.file), OTHER_TYPE);
    if (!other && !(await replaced(entry, entry.file.size > LARGE, SMALLER))) entry.sent = entry.file;
    entry.answer = await patiently(entry, changed);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    entry.problem = problem;
  }
}

/** Gives an entry the grid of what the model looked at, and what it is like; its answer too, where another version gave it. */
export async function explain(entry) {
  const found = await ask(entry.sent, { explain: true });
  if (!found.saliency) throw new Problem(500, "The service does not tell.");
  Object.assign(entry, { grid: found.saliency, nearest: found.nearest ?? [] });
  if (found.model.digest !== entry.answer.model.digest) entry.answer = found;
}

async function patiently(entry, changed) {
  const waiting = (seconds) => {
    entry.patience = `The service is busy. Asking again in ${Math.ceil(seconds)} s…`;
    changed();
  };
  try {
    return await ask(entry.sent, { waiting });
  } catch (problem) {
    if (!REFUSED.includes(problem.status) || !(await replaced(entry, !entry.note, SMALLER))) throw problem;
    return ask(entry.sent, { waiting });
  }
}

async function replaced(entry, needed, note) {
  const made = needed && (await copy(entry.file));
  if (made) Object.assign(entry, { sent: made, note });
  return Boolean(made);
}
