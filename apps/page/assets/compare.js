// The line between before and after: moved by the range under the pictures, by keyboard too, and
// by a drag on the pictures. The template's nodes are patched in place, so the line stays put.
const move = (percent) => element.style.setProperty("--cut", `${percent}%`);

element.addEventListener("input", (event) => move(event.target.value));

const drag = (event) => {
  const box = element.querySelector(".compare-pictures")?.getBoundingClientRect();
  const range = element.querySelector("input");
  if (!box || !range || !box.width) return;
  range.value = Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100));
  move(range.value);
};
element.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".compare-pictures")) return;
  event.preventDefault();
  element.setPointerCapture(event.pointerId);
  drag(event);
});
element.addEventListener("pointermove", (event) => {
  if (element.hasPointerCapture(event.pointerId)) drag(event);
});
