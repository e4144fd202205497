() => {
  // On a phone what happens is above the settings.
  const job = document.getElementById("job");
  if (innerWidth <= 640) job.scrollIntoView({ behavior: "smooth" });
  return [];
}
