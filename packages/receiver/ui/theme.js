// Sets the theme that was chosen before anything is painted: a plain script, which the document
// waits for. Without a choice the system's is used.
try {
  const chosen = localStorage.getItem("tidemark.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is forbidden: so is the choice.
}
