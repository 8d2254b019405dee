// The sample pictures, and what is worth asking about each.

export const SAMPLES = [
  { file: 'harbour.png', says: 'a boat on the water, with a sun and a fish', asks: ['how many things are there?', 'where is the fish?', 'is there a sun?'], labels: ['boat', 'fish', 'sun'] },
  { file: 'pets.png', says: 'a cat and a dog', asks: ['is there a dog?', 'where is the cat?', 'what is right of the cat?'], labels: ['cat', 'dog'] },
  { file: 'street.png', says: 'a house, a car and a tree', asks: ['which colour is the car?', 'where is the tree?', 'how many houses are there?'], labels: ['car', 'house', 'tree'] },
  { file: 'fruit.png', says: 'two apples, a banana and a strawberry', asks: ['how many apples are there?', 'which colour is the banana?', 'is there a pear?'], labels: ['apple', 'banana', 'strawberry'] },
  { file: 'sign.png', says: 'a sign that says Fresh bread', asks: ['how many words are there?'], labels: ['sign'] },
  { file: 'meadow.png', says: 'two flowers, a mushroom and a sun', asks: ['how many flowers are there?', 'what is between the flowers?', 'which colour is the mushroom?'], labels: ['flower', 'mushroom', 'sun'] },
  { file: 'night.png', says: 'a moon, stars, a balloon and an umbrella', asks: ['how many stars are there?', 'which colour is the balloon?', 'where is the moon?'], labels: ['star', 'moon', 'balloon', 'umbrella'] },
];

/** For pictures of one's own. */
export const COMMON = { asks: ['what is this?', 'how many things are there?', 'which colour is it?'], labels: ['cat', 'person', 'car', 'cup'] };
