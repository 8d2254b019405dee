// A React application over the hooks, under StrictMode, which mounts everything twice.

import { StrictMode, createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { useAnswer, useModel } from '../../dist/react.js';

function Caption({ image }) {
  const { model, progress, error, reload } = useModel({ device: 'cpu' });
  const { text, answer, running } = useAnswer(() => model?.caption(image, { maxNewTokens: 8 }), [model, image]);
  const state = error ? `failed ${error.code}` : answer ? 'done' : running ? 'running' : model ? 'loaded' : `loading ${progress?.phase ?? ''}`;
  return h('div', null,
    h('p', { id: 'caption', 'data-state': state, 'data-text': answer?.text, 'data-image': image }, text),
    h('button', { id: 'reload', onClick: reload }, 'reload'));
}

function Application() {
  const [image, setImage] = useState('/samples/harbour.png');
  const [shown, setShown] = useState(true);
  return h('div', null,
    h('button', { id: 'other', onClick: () => setImage('/samples/pets.png') }, 'other'),
    h('button', { id: 'away', onClick: () => setShown(false) }, 'away'),
    shown && h(Caption, { image }));
}

createRoot(document.getElementById('root')).render(h(StrictMode, null, h(Application)));
