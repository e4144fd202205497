(picture) => {
  // Tells the brush which photograph it paints on, also one that opens later.
  window.rrstylePhotograph = picture?.url;
  window.dispatchEvent(new CustomEvent("rrstyle:photograph", { detail: picture?.url }));
  return [];
}
