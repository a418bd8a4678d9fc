// The camera in the page: a dialog with what it sees, a button that takes the picture, and a word where there is none.
// Knows nothing of what is done with the picture.

import { frame } from "./pictures.js";

const REASONS = {
  NotAllowedError: "The camera may not be used here. Allow it in the browser's address bar, or choose a picture instead.",
  NotFoundError: "This device has no camera. Choose a picture instead.",
  NotReadableError: "Another program uses the camera. Close it there and try again, or choose a picture instead.",
};
const OTHER = "The camera cannot be started. Choose a picture instead.";
const INSECURE = "A browser opens the camera only on https or on this machine itself. Choose a picture instead.";

/** Gives a function that opens the camera; `taken` is called with the picture. A phone's own camera is preferred. */
export function camera({ dialog, video, refused, shoot, turn, leave, snap }, taken) {
  let cameras = [];
  let facing = 0;

  async function start() {
    stop(video);
    refused.hidden = true;
    shoot.disabled = true;
    try {
      await play();
      shoot.disabled = false;
    } catch (error) {
      refused.textContent = navigator.mediaDevices ? (REASONS[error.name] ?? OTHER) : INSECURE;
      refused.hidden = false;
    }
    video.hidden = shoot.hidden = !refused.hidden;
    (refused.hidden ? shoot : leave).focus();
  }

  async function play() {
    const wanted = cameras.length ? { deviceId: { exact: cameras[facing].deviceId } } : { facingMode: "user" };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...wanted, width: { ideal: 1280 } } });
    if (!dialog.open) return stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    video.classList.toggle("mirrored", stream.getVideoTracks()[0].getSettings().facingMode !== "environment");
    cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
    turn.hidden = cameras.length < 2;
    await video.play();
  }

  shoot.addEventListener("click", async () => {
    const picture = await frame(video);
    dialog.close();
    taken([picture]);
  });
  turn.addEventListener("click", () => {
    facing = (facing + 1) % cameras.length;
    start();
  });
  leave.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => stop(video));
  return () => {
    if (matchMedia("(pointer: coarse)").matches) return snap.click();
    dialog.showModal();
    start();
  };
}

function stop(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}
