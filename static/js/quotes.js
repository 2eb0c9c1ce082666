// The sums of a quote while its lines are typed: the server's own rule (quotes/money.py) in whole numbers, so that no
// fraction is ever lost. Without scripts a button reckons them.
const form = document.querySelector("form[data-quote]");
const NUMBER = /^(-?)(\d{1,13})(?:[.,](\d{1,6}))?$/;
const UNITS = { BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0,
  VUV: 0, XAF: 0, XOF: 0, XPF: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4 };

// A decimal as a whole number and its digits behind the point; null for what is none.
function read(text) {
  const match = NUMBER.exec(text.replace(/[\s\u00a0\u202f]/g, ""));
  if (!match) return null;
  const rest = match[3] ?? "";
  return { value: BigInt(`${match[1]}${match[2]}${rest}`), digits: rest.length };
}

// To so many digits, half away from zero.
function rounded(value, digits, wanted) {
  if (digits <= wanted) return value * 10n ** BigInt(wanted - digits);
  const unit = 10n ** BigInt(digits - wanted);
  const half = unit / 2n;
  return value < 0n ? -((-value + half) / unit) : (value + half) / unit;
}

function written(value, digits, currency) {
  const sign = value < 0n ? "-" : "";
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${sign}${whole}${digits ? `.${text.slice(-digits)}` : ""}\u00a0${currency}`;
}

function amounts(line, digits) {
  const [quantity, price, rate] = ["quantity", "price", "rate"].map((name) => {
    const field = line.querySelector(`[name="${name}"]`);
    return read(field.value || (name === "quantity" ? "1" : name === "rate" ? "0" : ""));
  });
  if (!quantity || !price || !rate) return null;
  const net = rounded(quantity.value * price.value, quantity.digits + price.digits, digits);
  return { net, tax: rounded(net * rate.value, digits + rate.digits + 2, digits) };
}

function reckon() {
  const currency = form.elements.currency.value;
  const digits = UNITS[currency] ?? 2;
  let net = 0n;
  let tax = 0n;
  for (const line of form.querySelectorAll("[data-line]")) {
    const found = amounts(line, digits);
    line.querySelector("[data-amount]").textContent = found ? written(found.net, digits, currency) : "";
    net += found?.net ?? 0n;
    tax += found?.tax ?? 0n;
  }
  for (const [name, value] of Object.entries({ net, tax, total: net + tax })) {
    form.querySelector(`[data-${name}]`).textContent = written(value, digits, currency);
  }
}

// One more empty line, like the last one, without asking the server.
function more(event) {
  event.preventDefault();
  const lines = form.querySelectorAll("[data-line]");
  const last = lines[lines.length - 1];
  const copy = last.cloneNode(true);
  for (const label of copy.querySelectorAll("label")) {
    const field = copy.querySelector(`#${label.htmlFor}`);
    field.id = label.htmlFor = label.htmlFor.replace(/^line\d+/, `line${lines.length + 1}`);
    if (field.name === "text" || field.name === "price") field.value = "";
  }
  last.after(copy);
  reckon();
  copy.querySelector('[name="text"]').focus();
}

if (form) {
  form.addEventListener("input", reckon);
  form.querySelector("[data-more]").addEventListener("click", more);
  reckon();
}
