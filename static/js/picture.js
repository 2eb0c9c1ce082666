// A picture becomes a small square here, so that nothing large or foreign is sent: what the browser can show, as a PNG.
const field = document.getElementById('picture');

async function square(file) {
  const side = Number(field.dataset.side);
  const picture = await createImageBitmap(file);
  const edge = Math.min(picture.width, picture.height);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(picture, (picture.width - edge) / 2, (picture.height - edge) / 2, edge, edge, 0, 0, side, side);
  return new Promise((done) => { canvas.toBlob(done, 'image/png'); });
}

field?.addEventListener('change', async () => {
  const [file] = field.files;
  if (!file) return;
  // What the browser cannot show is sent as it is, and refused with a reason.
  const made = await square(file).catch(() => null);
  if (!made) return;
  const list = new DataTransfer();
  list.items.add(new File([made], 'picture.png', { type: 'image/png' }));
  field.files = list.files;
  const shown = document.getElementById('portrait');
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Number(field.dataset.side);
  canvas.getContext('2d').drawImage(await createImageBitmap(made), 0, 0);
  shown.src = canvas.toDataURL('image/png');
  shown.hidden = false;
  document.querySelector('.av.portrait')?.remove();
});
