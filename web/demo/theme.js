// The colours chosen on an earlier visit, set before anything is painted. The only script that blocks.
try {
  const theme = localStorage.getItem('ocelli-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden here: the system's colours it is.
}
