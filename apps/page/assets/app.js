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
}
