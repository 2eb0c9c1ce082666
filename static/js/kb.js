// The editor of articles: the preview beside it follows what is typed, and files are pasted and dropped into the text.
const form = document.querySelector(".kb-write");
const text = form?.elements.body;
const preview = document.getElementById("kb-preview");
const said = document.getElementById("kb-said");
const headers = () => ({ "X-CSRFToken": form.elements.csrfmiddlewaretoken.value });
let waiting = 0;
let asked = 0;

async function show() {
  const number = (asked += 1);
  const body = new URLSearchParams({ body: text.value, language: form.elements.language.value });
  try {
    const answer = await fetch(form.dataset.preview, { method: "POST", body, headers: headers() });
    // Only the newest is shown, in whatever order they come. What comes was made safe by the server.
    if (answer.ok && number === asked) preview.innerHTML = await answer.text();
  } catch {
    // Without a connection the preview stays as it was; the text is in the form.
  }
}

async function send(files) {
  if (!files.length || !form.dataset.files) return;
  const body = new FormData();
  for (const file of files) body.append("files", file);
  said.textContent = form.dataset.waits;
  try {
    const answer = await fetch(form.dataset.files, { method: "POST", body, headers: { ...headers(), Accept: "application/json" } });
    const { files: kept = [], detail = "" } = await answer.json();
    if (kept.length) {
      text.setRangeText(kept.map((one) => one.markdown).join("\n"), text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }
    said.textContent = detail;
  } catch (error) {
    said.textContent = String(error);
  }
}

if (text) {
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 250);
  });
  text.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !form.dataset.files) return;
    event.preventDefault();
    send(files);
  });
  text.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files") || !form.dataset.files) return;
    event.preventDefault();
    text.classList.add("drops");
  });
  text.addEventListener("dragleave", () => text.classList.remove("drops"));
  text.addEventListener("drop", (event) => {
    text.classList.remove("drops");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length || !form.dataset.files) return;
    event.preventDefault();
    send(files);
  });
}
