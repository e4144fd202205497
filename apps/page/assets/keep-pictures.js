(...values) => {
  // For a reload of this page; what the server has of them is its browser's own.
  try {
    sessionStorage.setItem("rrstyle-pictures", JSON.stringify(values));
  } catch {} // full, or forbidden
  return [];
}
