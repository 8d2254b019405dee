// One colour a label, the same on the picture, in the list and in a saved PNG.

/** Told apart by eyes that see few colours too; each is legible under dark text. */
const COLOURS = ['#5eead4', '#fbbf24', '#fb7185', '#60a5fa', '#c084fc', '#a3e635', '#fb923c', '#f9a8d4', '#38bdf8', '#facc15'];

/** @param {readonly { label: string }[]} objects @returns {string[]} a colour for each */
export function coloursOf(objects) {
  const labels = [...new Set(objects.map(({ label }) => label))];
  // Things of one kind differ where there is only one kind.
  if (labels.length === 1) return objects.map((_, index) => COLOURS[index % COLOURS.length]);
  return objects.map(({ label }) => COLOURS[labels.indexOf(label) % COLOURS.length]);
}
