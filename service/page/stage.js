// The one picture that is looked at: itself, or the square a network sees with what it looked at, and what is said of it.
// Knows nothing of the other pictures.

import { said } from "./answer.js";
import { explain } from "./asking.js";
import { element } from "./dom.js";
import { seen } from "./facts.js";
import { draw } from "./heat.js";
import { blind, named, place, several } from "./words.js";

const SPAN = 4.8; // side of the square that the network sees of a region, in radii of its circle
const WHOLE = { left: "0", top: "0", width: "100%", height: "100%", rotate: "none" };
const FAR = 0.6; // of the window's height: an answer that begins lower is scrolled to
const LOOKING = "Covering one part after another, to see what the answer rests on…";

/** Keeps a place on the stage far enough from its edges for what is to be read there. */
const within = (place) => `clamp(0.75rem, ${place}, 100% - 0.75rem)`;

export class Stage {
  /**
   * `at` has the page's elements by id; `preprocess` gives what the service says of the square, or nothing; `retry` asks
   * about an entry again, `changed` hears that one has another answer.
   */
  constructor(at, { preprocess, retry, changed }) {
    Object.assign(this, { at, preprocess, retry, changed, entry: null });
    at.picture.addEventListener("load", () => this.entry && this.look()); // only now is its shape known
    at.picture.addEventListener("error", () => this.blank(true));
    at["show-heat"].addEventListener("change", () => this.look());
    at.strength.addEventListener("input", () => this.fade());
    this.fade();
  }

  /** Shows another picture. */
  show(entry) {
    this.entry = entry;
    this.blank(false);
    this.at.picture.src = entry.url;
    this.at.picture.alt = `The picture asked about: ${entry.file.name}`;
    this.at.result.hidden = false;
    this.update();
    const { top } = this.at.result.getBoundingClientRect();
    if (top < 0 || top > innerHeight * FAR) this.at.result.scrollIntoView();
  }

  /** Shows what has become of the picture. */
  update() {
    this.at.said.replaceChildren(said(this.entry, () => {
      this.at.said.focus();
      this.retry(this.entry);
    }));
    this.look();
  }

  /** Shows nothing. */
  clear() {
    this.entry = null;
    this.at.result.hidden = true;
    this.at.picture.removeAttribute("src");
  }

  blank(none) {
    this.at.stage.classList.toggle("blank", none);
  }

  fade() {
    this.at.heat.style.opacity = this.at.strength.value;
  }

  async look() {
    const entry = this.entry;
    const answered = Boolean(entry.answer) && !blind(entry.answer);
    const wanted = answered && this.at["show-heat"].checked;
    this.at.looked.hidden = !answered;
    this.at.strength.disabled = !wanted;
    this.lay(wanted && entry.grid);
    this.at.caption.textContent = this.words(entry, wanted);
    this.near(entry);
    this.number(entry);
    if (!wanted || entry.grid) return;
    const { answer } = entry;
    const trouble = await this.explained(entry);
    if (entry.answer !== answer) this.changed(entry);
    else if (entry !== this.entry) return;
    else if (trouble) this.at.caption.textContent = `What it looked at cannot be shown. ${trouble.message}`;
    else this.look();
  }

  /** Waits for the grid, asked for once however often one comes back; gives the problem when there is none. */
  explained(entry) {
    entry.explaining ??= explain(entry).then(() => null, (problem) => {
      entry.explaining = null;
      return problem;
    });
    return entry.explaining;
  }

  /** Shows the training pictures that are most like this one, once they are known. */
  near({ nearest = [] }) {
    this.at.nearest.hidden = !nearest.length;
    this.at.nearest.replaceChildren(
      element("p", { class: "fine" }, "Nearest training pictures"),
      element("ul", {}, nearest.map(({ id, label, credit, thumbnail }) => (
        element("li", { title: credit ? `${id}: ${credit}` : id }, element("img", { src: thumbnail, alt: "" }), named(label))
      ))),
    );
  }

  /** Numbers the subjects on the picture as the answer does, where there are several. */
  number({ answer }) {
    const subjects = answer && several(answer) ? answer.subjects : [];
    this.at.subjects.replaceChildren(...subjects.map(({ regions }, index) => {
      const tag = element("span", {}, String(index + 1));
      const { left, top } = this.around(regions[0].place);
      Object.assign(tag.style, { left: within(left), top: within(top) });
      return tag;
    }));
  }

  lay(grid) {
    if (grid) draw(this.at.heat, grid);
    this.at.heat.hidden = !grid;
    const places = (this.entry.answer?.subjects?.[0]?.regions ?? []).map((region) => region.place);
    Object.assign(this.at.heat.style, grid && places.length ? this.around(...places) : WHOLE);
    this.at.stage.dataset.fit = grid && !places.length ? (this.preprocess()?.fit ?? "squash") : "whole";
  }

  /**
   * Where the square around the first of a subject's regions lies on the stage, which shows all of the picture in its middle;
   * it is as tilted as the line from that one to the other, the one right of it.
   */
  around({ x, y, radius }, right = { x: x + 1, y }) {
    const { naturalWidth: width, naturalHeight: height } = this.at.picture;
    const rotate = `${Math.atan2((right.y - y) * height, (right.x - x) * width).toFixed(4)}rad`;
    const longest = Math.max(width, height) || 1;
    const side = (SPAN * radius * width) / longest;
    const share = (of, natural) => 0.5 + ((of - 0.5) * natural) / longest - side / 2;
    const percent = (value) => `${(100 * value).toFixed(2)}%`;
    const size = percent(side);
    return { left: percent(share(x, width)), top: percent(share(y, height)), width: size, height: size, rotate };
  }

  words(entry, wanted) {
    if (wanted && !entry.grid) return LOOKING;
    const square = entry.answer ? seen(this.preprocess()) : "";
    return `${wanted ? place(entry.grid) : ""} ${square && `The network sees ${square}.`}`.trim();
  }
}
