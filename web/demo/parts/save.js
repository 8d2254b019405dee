// Answers on their way out: the clipboard, text, JSON, and the picture with what was found drawn over it.

import { percent } from './figures.js';
import { coloursOf } from './palette.js';
import { tinted } from './stage.js';

/** @param {import('./question.js').Question} question */
function textOf({ answer }) {
  if (answer.objects.length === 0) return answer.text;
  const round = (box) => [box.xmin, box.ymin, box.xmax, box.ymax].map(Math.round).join(' ');
  return answer.objects.map(({ label, score, box }) => `${label} ${percent(score)} at ${round(box)}`).join('\n');
}

/** @returns whether the clipboard took it */
export async function copyText(question) {
  try {
    await navigator.clipboard.writeText(textOf(question));
    return true;
  } catch {
    return false;
  }
}

export function saveText(question) {
  save(new Blob([`${textOf(question)}\n`], { type: 'text/plain' }), question, 'txt');
}

export async function saveJson(question) {
  const { picture, asked, answer, model } = question;
  const objects = await Promise.all(answer.objects.map(async ({ mask, origin, ...object }) => ({
    ...object, ...(mask && { mask: { ...origin, width: mask.width, height: mask.height, png: await asDataUrl(mask) } }),
  })));
  const { text, tokens, logprobs, finish, dropped, device, adapter, timings, memory } = answer;
  const record = {
    picture: { name: picture.name, width: picture.width, height: picture.height }, model, asked, text, objects, dropped,
    finish, tokens, logprobs, device, adapter, timings, memory,
  };
  save(new Blob([JSON.stringify(record, null, 2)], { type: 'application/json' }), question, 'json');
}

export async function savePicture(question) {
  save(await drawn(question), question, 'png');
}

/** The picture at its own size; words stand on a strip below it. @returns {Promise<Blob>} */
async function drawn({ picture, answer, title, hidden }) {
  const { width, height } = picture;
  const image = new Image();
  image.src = picture.url;
  await image.decode();
  const font = Math.max(12, Math.round(Math.max(width, height) / 40));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  const words = answer.objects.length > 0 ? [] : wrapped(context, `${title}\n${answer.text}`, width - 2 * font, font);
  if (words.length > 0) canvas.height = height + Math.round((words.length + 1) * font * 1.4);
  context.drawImage(image, 0, 0, width, height);
  context.font = `600 ${font}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const colours = coloursOf(answer.objects);
  for (const [index, { label, score, box, mask, origin }] of answer.objects.entries()) {
    if (hidden.has(index)) continue;
    if (mask) {
      context.globalAlpha = 0.5;
      context.drawImage(tinted(mask, colours[index]), origin.x, origin.y);
      context.globalAlpha = 1;
    }
    context.lineWidth = Math.max(2, font / 6);
    context.strokeStyle = context.fillStyle = colours[index];
    context.strokeRect(box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin);
    const said = `${label} ${percent(score)}`;
    const top = box.ymin >= font * 1.5 ? box.ymin - font * 1.5 : box.ymin;
    context.fillRect(box.xmin, top, context.measureText(said).width + font, font * 1.5);
    context.fillStyle = '#06211e';
    context.fillText(said, box.xmin + font / 2, top + font * 0.75);
  }
  if (words.length > 0) {
    context.fillStyle = '#0d3b38';
    context.fillRect(0, height, width, canvas.height - height);
    for (const [index, line] of words.entries()) {
      context.fillStyle = index === 0 ? '#5eead4' : '#ffffff';
      context.fillText(line, font, height + (index + 1) * font * 1.4);
    }
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

/** Lines that fit the width. */
function wrapped(context, text, width, font) {
  context.font = `600 ${font}px system-ui, sans-serif`;
  const lines = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`;
      if (line !== '' && context.measureText(longer).width > width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    lines.push(line);
  }
  return lines;
}

async function asDataUrl(mask) {
  const canvas = new OffscreenCanvas(mask.width, mask.height);
  canvas.getContext('2d').putImageData(mask, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function save(blob, { picture, asked }, ending) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = `${picture.name.replace(/\.[^.]*$/, '').replace(/[^\w-]+/g, '-')}-${asked.task}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
