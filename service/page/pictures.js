// Files on their way in: what can be read, and copies where the service would not take the original.
// Knows nothing of the service but which types it takes.

const TAKEN = ["image/jpeg", "image/png", "image/webp"];
const COPY_SIDE = 1024; // pixels, more than a network sees
const COPY_QUALITY = 0.95;
const THUMB = 144; // pixels

/** Whether a file can be read at all: a folder that was dropped, or a file that is gone, cannot. */
export async function readable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

/** Whether a file says it is a picture of a type that the service does not take, but a browser may read. */
export function foreign(file) {
  return file.type.startsWith("image/") && !TAKEN.includes(file.type);
}

/** Gives a JPEG copy that the service takes, bounded in size; null where the browser cannot read the picture either. */
export async function copy(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  const canvas = drawn(bitmap, COPY_SIDE);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", COPY_QUALITY));
  return blob && new File([blob], file.name, { type: "image/jpeg" });
}

/** Gives a small canvas of a picture; null where the browser cannot read it. */
export async function thumbnail(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  return bitmap && drawn(bitmap, THUMB);
}

/** Gives what a video shows now as a file. */
export async function frame(video) {
  const canvas = drawn(video, Infinity, video.videoWidth, video.videoHeight);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", COPY_QUALITY));
  return new File([blob], "camera.jpg", { type: "image/jpeg" });
}

function drawn(source, side, width = source.width, height = source.height) {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  source.close?.();
  return canvas;
}

/** Calls back with files that are dropped anywhere, pasted or chosen; with none where there was no file among it. */
export function listen({ files, snap, veil }, taken) {
  for (const input of [files, snap]) {
    input.addEventListener("change", () => {
      if (input.files.length) taken([...input.files]);
      input.value = "";
    });
  }
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input")) return;
    taken([...(event.clipboardData?.files ?? [])]);
  });
  drops(veil, taken);
}

function drops(veil, taken) {
  const holds = (event) => ["Files", "text/uri-list"].some((type) => event.dataTransfer?.types.includes(type));
  document.addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!holds(event)) return;
    event.preventDefault();
    taken([...event.dataTransfer.files]);
  });
}
