// A brush over the photograph. The value is a PNG of the mask as a data address, white where the
// style goes; "" while nothing is painted. The photograph comes as a "photograph" event, whose
// detail is its address, and never leaves the browser from here.
const LONGEST = 512; // pixels of the mask's longer side: strokes need no more

const canvas = element.querySelector("canvas");
const [size, erase] = element.querySelectorAll("input");
const [invert, clear] = element.querySelectorAll("button");
const context = canvas.getContext("2d");
const mask = document.createElement("canvas");
const ink = mask.getContext("2d");
const photograph = new Image();
let last = null;
let published = ""; // the value as painted here; another one was loaded
let loaded = false;

function draw() {
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (photograph.naturalWidth) context.drawImage(photograph, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 0.6;
  context.drawImage(mask, 0, 0);
  context.globalAlpha = 1;
}

function publish() {
  const alpha = ink.getImageData(0, 0, mask.width, mask.height).data;
  let painted = false;
  for (let i = 3; i < alpha.length && !painted; i += 4) painted = alpha[i] > 0;
  if (!painted) {
    props.value = published = "";
    return;
  }
  const flat = document.createElement("canvas");
  [flat.width, flat.height] = [mask.width, mask.height];
  const grey = flat.getContext("2d");
  grey.drawImage(mask, 0, 0);
  grey.globalCompositeOperation = "source-in";
  grey.fillStyle = "white";
  grey.fillRect(0, 0, flat.width, flat.height);
  grey.globalCompositeOperation = "destination-over";
  grey.fillStyle = "black";
  grey.fillRect(0, 0, flat.width, flat.height);
  props.value = published = flat.toDataURL("image/png");
}

function wipe() {
  ink.clearRect(0, 0, mask.width, mask.height);
}

photograph.onload = () => {
  const scale = LONGEST / Math.max(photograph.naturalWidth, photograph.naturalHeight);
  for (const one of [canvas, mask]) {
    one.width = Math.max(1, Math.round(photograph.naturalWidth * scale));
    one.height = Math.max(1, Math.round(photograph.naturalHeight * scale));
  }
  show();
};

// White of a mask becomes the tint of the brush; another size is stretched to the photograph's.
function show() {
  wipe();
  if (!props.value) return draw();
  const given = new Image();
  given.onload = () => {
    ink.drawImage(given, 0, 0, mask.width, mask.height);
    const pixels = ink.getImageData(0, 0, mask.width, mask.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      pixels.data[i + 3] = pixels.data[i];
      pixels.data.set([13, 148, 136], i);
    }
    ink.putImageData(pixels, 0, 0);
    draw();
  };
  given.src = props.value;
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

function stroke(event) {
  const next = place(event);
  ink.globalCompositeOperation = erase.checked ? "destination-out" : "source-over";
  ink.strokeStyle = "rgb(13, 148, 136)";
  ink.lineCap = ink.lineJoin = "round";
  ink.lineWidth = (size.value / 100) * Math.max(mask.width, mask.height);
  ink.beginPath();
  ink.moveTo(...(last ?? next));
  ink.lineTo(...next);
  ink.stroke();
  ink.globalCompositeOperation = "source-over";
  last = next;
  draw();
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  stroke(event);
});
canvas.addEventListener("pointermove", (event) => last && stroke(event));
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    if (last) publish();
    last = null;
  });
}
clear.addEventListener("click", () => {
  wipe();
  draw();
  publish();
});
invert.addEventListener("click", () => {
  ink.globalCompositeOperation = "source-out";
  ink.fillStyle = "rgb(13, 148, 136)";
  ink.fillRect(0, 0, mask.width, mask.height);
  ink.globalCompositeOperation = "source-over";
  draw();
  publish();
});

const load = (address) => {
  if (address) photograph.src = address;
};
window.addEventListener("rrstyle:photograph", (event) => {
  // What was painted was on another photograph; what was loaded came with this one.
  if (!loaded) props.value = published = "";
  loaded = false;
  load(event.detail);
});
load(window.rrstylePhotograph);
watch("value", () => {
  if (props.value === published) return;
  loaded = true;
  show();
});
