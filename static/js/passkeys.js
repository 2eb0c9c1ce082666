// Passkeys (WebAuthn Level 2). Forms say what they want in data-passkey: "login", "prove" or "add".

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withId = (credential) => ({ ...credential, id: decode(credential.id) });

function asAnswer(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const answer = Object.fromEntries(parts.filter((part) => response[part]).map((part) => [part, encode(response[part])]));
  if (response.getTransports) answer.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    response: answer,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function add(form) {
  const { publicKey } = JSON.parse(document.getElementById("passkey-options").textContent).creation_options;
  const alone = form.elements.passwordless.checked;
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: decode(publicKey.challenge),
      user: withId(publicKey.user),
      excludeCredentials: (publicKey.excludeCredentials || []).map(withId),
      authenticatorSelection: alone
        ? { ...publicKey.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required" }
        : publicKey.authenticatorSelection,
    },
  });
}

async function prove(options) {
  const { publicKey } = options.request_options;
  return navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: decode(publicKey.challenge),
      allowCredentials: (publicKey.allowCredentials || []).map(withId),
    },
  });
}

const ways = {
  add,
  prove: () => prove(JSON.parse(document.getElementById("passkey-options").textContent)),
  login: async (form) => prove(await (await fetch(form.action, { headers: { Accept: "application/json" } })).json()),
};

function complain(form) {
  let words = form.querySelector("[role=alert].said");
  if (!words) {
    words = document.createElement("p");
    words.className = "said error";
    words.setAttribute("role", "alert");
    form.prepend(words);
  }
  words.textContent = form.dataset.failed;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      form.elements.credential.value = JSON.stringify(asAnswer(await ways[form.dataset.passkey](form)));
      form.submit();
    } catch {
      complain(form); // refused, timed out, or no passkey here: the browser has said which
    }
  });
}
if (!window.PublicKeyCredential) {
  for (const words of document.querySelectorAll("[data-passkey-missing]")) words.hidden = false;
}
