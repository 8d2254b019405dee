// The sample pictures, and what is worth asking about each.

export const SAMPLES = [
  { file: 'harbour.png', says: 'a sailing boat on blue water, with a sun and a fish', asks: ['how many things are there?', 'where is the fish?', 'which colour is the boat?'], labels: ['boat', 'fish', 'sun'] },
];

/** For pictures of one's own. */
export const COMMON = { asks: ['what is this?', 'how many things are there?', 'which colour is it?'], labels: ['cat', 'person', 'car', 'cup'] };
