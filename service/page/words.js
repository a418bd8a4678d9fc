// Numbers and names as a person reads them. Knows nothing of the page.

const PLACES = [
  ["the upper left", "the top", "the upper right"],
  ["the left", "the centre", "the right"],
  ["the lower left", "the bottom", "the lower right"],
];
const MIDDLE = [0.3, 0.7]; // shares of a side between which a place is the centre
const LITTLE = 0.05; // nats: a fall of the log odds that changes no answer

/** "ripe-fruit" as "Ripe fruit". */
export function title(name) {
  const spaced = String(name).replaceAll(/[-_]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const OWN = ["sure", "unsure", "no answer"]; // words of the page

/** The name of a class: as it is, and in quotation marks where it would be taken for a word of the page. */
export function named(name) {
  return OWN.includes(name.toLowerCase()) ? `“${name}”` : name;
}

/** ["cat", "dog"] as "cat or dog". */
export function choice(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** 0.934 as "93%"; never 0% or 100%, which no model can mean. */
export function percent(share) {
  if (share >= 0.995) return "> 99%";
  if (share < 0.005) return "< 1%";
  return `${Math.round(share * 100)}%`;
}

/** 0.934 as "93 chances in 100". */
export function chances(share) {
  if (share >= 0.995) return "more than 99 chances in 100";
  const hundredths = Math.max(Math.round(share * 100), 1);
  return `${hundredths} chance${hundredths === 1 ? "" : "s"} in 100`;
}

/** The share from which on the model is sure, where an answer stays below it; else null. */
export function threshold({ reason_code, limit }) {
  return reason_code === "low_confidence" ? limit : null;
}

/** Whether there was nothing in the picture to answer about. */
export function blind({ reason_code }) {
  return reason_code === "nothing_found";
}

// Why an answer is unsure, by the service's code for it; a code that is not here is told in the service's own words.
const WHY = {
  low_confidence: ({ confidence, limit }) =>
    `its ${chances(confidence)} are fewer than the ${Math.round(limit * 100)} it takes to be sure`,
  out_of_distribution: () => "the picture is unlike those it learned from",
  no_colour: () => "there is no colour in the picture",
};

/** Whether the answer is about several subjects. */
export function several({ subjects = [] }) {
  return subjects.length > 1;
}

/** An answer in a word or two. */
export function headline(answer) {
  return blind(answer) ? title(answer.reason) : named(answer.label);
}

/** How sure an answer is: a word, and the rest of the sentence. */
export function sureness(answer) {
  const { label, confidence, unsure, reason } = answer;
  if (!unsure) return { word: "Sure", rest: `${chances(confidence)} that this is ${named(label)}.` };
  if (blind(answer)) return { word: "Unsure", rest: "there is nothing in this picture that it could tell." };
  const why = WHY[answer.reason_code]?.(answer) ?? (reason || `it has only ${chances(confidence)}`);
  return { word: "Unsure", rest: `maybe ${named(label)}, because ${why}.` };
}

/** Where in the picture a grid of falls is highest. */
export function place(grid) {
  const heights = grid.flat();
  const highest = Math.max(...heights);
  if (!(highest > LITTLE)) return "No single part of the picture decided: covering any of them changes little.";
  const at = heights.indexOf(highest);
  const row = side(Math.floor(at / grid[0].length), grid.length);
  const column = side(at % grid[0].length, grid[0].length);
  return `Lit is what the answer rests on, most of all ${PLACES[row][column]}.`;
}

/** What a service says, as a sentence. */
export function sentence(said) {
  const text = String(said).trim();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** 0, 1 or 2: whether a step lies before, in or after the middle. */
function side(step, steps) {
  const at = (step + 0.5) / steps;
  return Number(at >= MIDDLE[0]) + Number(at > MIDDLE[1]);
}

/** A share of errors as "17 of 100", with its interval when there is one. */
export function wrong({ value, low, high }) {
  const between = (low ?? null) === null ? "" : ` (95% interval: ${Math.round(low * 100)} to ${Math.round(high * 100)})`;
  return `On pictures it had never seen it was wrong about ${Math.round(value * 100)} times in 100${between}.`;
}

/** A point in time as a person writes it, in UTC; what is none comes back as it is. */
export function moment(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
