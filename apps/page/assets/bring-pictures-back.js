async (...now) => {
  // What was chosen before a reload, as far as the server still has it.
  const kept = JSON.parse(sessionStorage.getItem("rrstyle-pictures") ?? "[]");
  const there = await Promise.all(kept.map(async (value) =>
    !value?.url || (await fetch(value.url, { method: "HEAD" })).ok));
  return now.map((value, i) => (there[i] ? kept[i] : value));
}
