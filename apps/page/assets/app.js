() => {
  // Gradio shows examples without a name; that of the file is what they are called.
  const name = () => {
    for (const button of document.querySelectorAll('[id^="examples-"] button:not([aria-label])')) {
      const file = button.querySelector("img")?.src.split("/").pop();
      if (!file) continue;
      button.title = decodeURIComponent(file.replace(/\.png$/, "")).replaceAll("-", " ");
      button.setAttribute("aria-label", button.title);
    }
  };
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".skip")) return;
    event.preventDefault(); // Gradio's base address would load the page anew
    document.getElementById("stylise")?.focus();
  });

  // A button that is pressed and then switched off takes the keyboard's place with it: that goes on
  // to the button that takes over.
  const next = { stylise: "stop", more: "stop", stop: "stylise" };
  let last = null;
  document.addEventListener("focusin", (event) => (last = event.target));
  const follow = () => {
    const other = last?.disabled && document.getElementById(next[last.id]);
    if (!other || other.disabled) return;
    if ([document.body, last].includes(document.activeElement)) other.focus({ preventScroll: true });
  };
  const watched = { subtree: true, attributes: true, attributeFilter: ["disabled"] };
  new MutationObserver(follow).observe(document.body, watched);
}
