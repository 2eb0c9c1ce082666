// Files added by choosing, pasting or dropping, each with a way to take it out again.
export function takeFiles(form) {
  const field = form.elements.uploads;
  const list = form.querySelector('.dropped');
  const box = form.querySelector('.box');
  let known = [];

  const show = (files) => {
    known = files;
    const all = new DataTransfer();
    for (const file of files) all.items.add(file);
    field.files = all.files;
    list.hidden = !files.length;
    list.replaceChildren(...files.map((file) => {
      const line = document.createElement('li');
      const name = document.createElement('span');
      name.className = 'ell';
      name.textContent = file.name;
      const remove = document.createElement('button');
      remove.type = 'button';
      remove.textContent = '×';
      remove.setAttribute('aria-label', `× ${file.name}`);
      remove.addEventListener('click', () => show(known.filter((other) => other !== file)));
      line.append(name, remove);
      return line;
    }));
  };

  field.addEventListener('change', () => show([...known, ...field.files]));
  form.elements.text.addEventListener('paste', (event) => {
    if (!event.clipboardData.files.length) return;
    show([...known, ...event.clipboardData.files]);
    event.preventDefault();
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  box.addEventListener('dragover', (event) => { if (hasFiles(event)) { event.preventDefault(); box.classList.add('over'); } });
  box.addEventListener('dragleave', (event) => { if (!box.contains(event.relatedTarget)) box.classList.remove('over'); });
  box.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    box.classList.remove('over');
    show([...known, ...event.dataTransfer.files]);
  });
}
