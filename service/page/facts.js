// What the service says of its model: a sentence, then every fact of GET /model, known ones by name and order.
// Knows nothing of pictures.

import { element } from "./dom.js";
import { choice, moment, named, title, wrong } from "./words.js";

const NAMES = {
  name: "Name",
  version: "Version",
  alias: "Alias",
  classes: "Answers it can give",
  registered: "Registered",
  promoted: "Promoted",
  loaded: "Loaded",
  following: "Following",
  precision: "Precision",
  precision_reason: "Why this precision",
  device: "Runs on",
  preprocess: "What it sees",
  licences: "Licences of the data",
  providers: "Providers of the data",
  source: "Made from",
  run_id: "Training run",
  digest: "Digest",
  files: "Files",
};
const MEASURES = {
  error_rate: "Wrong answers",
  baseline_error_rate: "Wrong when always saying the most common",
  coverage: "Answers it is sure of",
  selective_risk: "Wrong among those",
  unsure_threshold: "Sure from",
  unlike: "Unlike any training picture", // of versions from before
  unlike_distance: "Unlike from this distance",
  out_of_distribution: "Unlike any training picture",
  out_of_distribution_distance: "Unlike from this distance",
  ece: "Calibration error",
  ece_uncalibrated: "Calibration error before calibrating",
  roc_auc: "ROC AUC",
  brier: "Brier score",
  test_images: "Test pictures",
};
const MOMENTS = ["registered", "promoted", "loaded"];
const FITS = { squash: "squashed", crop: "cropped", pad: "padded" };
const MANY = 8; // parts that are folded away
const SHARE = /(rate|accuracy|precision|recall|f1|coverage|risk|threshold|ece|flips|unlike$|out_of_distribution$)/;

/** "128 × 128 pixels, squashed"; "" where the service does not say. */
export function seen(preprocess) {
  const { crop, size } = preprocess ?? {};
  if (crop && crop !== "none") return `${size} × ${size} pixels around each of the ${crop}`;
  return preprocess ? `${size} × ${size} pixels, ${FITS[preprocess.fit] ?? preprocess.fit}` : "";
}

/** Gives the whole of what is known, for the fold at the end of the page. */
export function whole(found) {
  const rest = Object.keys(found).filter((key) => !(key in NAMES) && key !== "metrics");
  return element("div", {}, sentences(found), list(found, [...Object.keys(NAMES), ...rest]), metrics(found.metrics));
}

function sentences({ classes = [], metrics = {} }) {
  const rate = metrics.error_rate;
  return element(
    "p",
    { class: "plain" },
    rate ? `${wrong(typeof rate === "number" ? { value: rate } : rate)} ` : "",
    `It knows no other answer than ${classes.length > MANY ? `its ${classes.length} classes` : choice(classes.map(named))}: what is none of these may be called one of them all the same.`,
  );
}

function list(found, keys) {
  const known = keys.filter((key) => found[key] !== undefined && found[key] !== null && found[key] !== "");
  return element("dl", {}, known.map((key) => [
    element("dt", {}, NAMES[key] ?? title(key)),
    element("dd", {}, value(key, found[key])),
  ]));
}

function value(key, said) {
  if (key === "preprocess") return seen(said);
  if (key === "classes" && said.length <= MANY) return said.map(named).join(", ");
  if (key === "classes") return folded(said.length, element("ul", {}, said.map((name) => element("li", {}, named(name)))));
  if (MOMENTS.includes(key) && typeof said === "string") return moment(said);
  if (typeof said === "object") return parts(said);
  return /^[0-9a-f]{12,}$/.test(said) ? element("code", {}, said) : String(said);
}

function parts(said) {
  const entries = Object.entries(said ?? {}).filter(([, part]) => part !== null);
  const list = element("ul", {}, entries.map(([name, part]) => (
    element("li", {}, element("span", { class: "part" }, `${name} `), value(name, part))
  )));
  return entries.length > MANY ? folded(entries.length, list) : list;
}

function folded(count, list) {
  return element("details", {}, element("summary", {}, `${count} of them`), list);
}

function metrics(measured) {
  if (!measured || !Object.keys(measured).length) return null;
  const head = ["Measured on the test pictures", "Value", "95% interval"].map((text) => element("th", { scope: "col" }, text));
  const rows = Object.entries(measured).map(([name, said]) => {
    const { value: middle, low, high } = typeof said === "object" ? said : { value: said };
    const number = (one) => figure(name, one);
    const between = (low ?? null) === null ? "" : `${number(low)} to ${number(high)}`;
    return element("tr", {}, element("th", { scope: "row" }, MEASURES[name] ?? title(name)), element("td", {}, number(middle)), element("td", {}, between));
  });
  return element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows));
}

function figure(name, number) {
  if (Number.isInteger(number) && number > 1) return String(number);
  return SHARE.test(name) && number <= 1 ? `${(number * 100).toFixed(1)}%` : Number(number).toFixed(3);
}
