// The service, as the page asks it: keys, patience when it is busy, and errors with a sentence that helps.
// Knows nothing of what is shown.

import { sentence } from "./words.js";

const TRIES = 5;
const LONGEST_WAIT = 30; // seconds
const PATIENCE = 60_000; // milliseconds
const KEY = "irisline-key";
const GARBLED = "The answer was cut off, or something between here and the service spoke for it.";

const TITLES = {
  0: "No connection",
  400: "This picture cannot be read",
  401: "The service wants a key",
  403: "This key may not do that",
  408: "That took too long",
  413: "This picture is too large",
  415: "This is not a picture the service takes",
  422: "This picture cannot be read",
  429: "The service is busy",
  503: "The service is busy",
  504: "That took too long",
};

/** Why there is no answer: the HTTP status (0 where nothing answered), a title, and a sentence. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    this.title = TITLES[status] ?? (status >= 500 ? "The service has failed" : "The service refuses this");
  }

  /** Whether asking the same again may go better. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Keeps a key for as long as this tab lives. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

/** Says whether a key has been given. */
export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Gives what the service says of its model. */
export function facts() {
  return request("model", {});
}

/** Gives the answer about one picture, with the grid of what the model looked at where explain is true. */
export function ask(file, { explain = false, waiting = () => {} } = {}) {
  const body = new FormData();
  body.append("image", file, file.name || "picture");
  return request(explain ? "predict?explain=true" : "predict", { method: "POST", body }, waiting);
}

/** Gives an example picture, as a file. */
export async function example() {
  const response = await reach("page/example.jpg", {});
  return new File([await response.blob()], "example.jpg", { type: "image/jpeg" });
}

async function request(path, options, waiting) {
  for (let tries = 1; ; tries++) {
    const response = await reach(path, options);
    if (response.ok) return response.json().catch(() => Promise.reject(new Problem(0, GARBLED)));
    if (response.status !== 503 || tries === TRIES) throw await problemOf(response);
    const seconds = pause(response);
    waiting?.(seconds);
    await new Promise((done) => setTimeout(done, seconds * 1000));
  }
}

async function reach(path, options) {
  const key = sessionStorage.getItem(KEY);
  const headers = { Accept: "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
  try {
    return await fetch(path, { ...options, headers, cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    if (error.name === "TimeoutError") throw new Problem(408, "The service gave no answer within a minute.");
    throw new Problem(0, "The service does not answer. Check that it runs and that you are online.");
  }
}

async function problemOf(response) {
  if (response.status === 401) return new Problem(401, "Give it above, then this is asked again.");
  const said = await response.json().catch(() => ({}));
  const detail = said.detail || said.title || `It answered with status ${response.status}.`;
  return new Problem(response.status, sentence(detail));
}

/** Seconds to wait, as Retry-After says in seconds or as a date; some chance, so that not all come back at once. */
function pause(response) {
  const said = response.headers.get("Retry-After") ?? "1";
  const seconds = Number.isNaN(Number(said)) ? (Date.parse(said) - Date.now()) / 1000 : Number(said);
  return Math.min(Math.max(seconds || 0, 0.5), LONGEST_WAIT) + Math.random() * 0.3;
}
