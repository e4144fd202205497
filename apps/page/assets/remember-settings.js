(...values) => {
  // Changes that follow at once are one step: a slider's way, and all that a look sets.
  const past = (window.rrstylePast ??= { steps: [], now: null, at: 0 });
  const time = performance.now();
  const apart = time - past.at > 1500 && JSON.stringify(values) !== JSON.stringify(past.now);
  if (past.now && window.rrstyleRestored && apart) past.steps.push(past.now);
  past.now = values;
  past.at = time;
  return [];
}
