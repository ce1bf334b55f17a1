// Passkeys: asks the device, puts its answer into the form, sends it.

const toBytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), char => char.charCodeAt(0));
const toText = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const withBytes = list => (list ?? []).map(item => ({ ...item, id: toBytes(item.id) }));

const creation = options => ({
  ...options,
  challenge: toBytes(options.challenge),
  user: { ...options.user, id: toBytes(options.user.id) },
  excludeCredentials: withBytes(options.excludeCredentials),
  // Every passkey of ours signs in by itself, so the device must keep it and check who holds it.
  authenticatorSelection: { ...options.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required" },
});

const request = options => ({
  ...options,
  challenge: toBytes(options.challenge),
  allowCredentials: withBytes(options.allowCredentials),
});

const answer = credential => ({
  id: credential.id,
  rawId: toText(credential.rawId),
  type: credential.type,
  clientExtensionResults: credential.getClientExtensionResults(),
  response: Object.fromEntries(
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
      .filter(name => credential.response[name])
      .map(name => [name, toText(credential.response[name])]),
  ),
});

async function options(form) {
  if (form.dataset.passkeyUrl) {
    const response = await fetch(form.dataset.passkeyUrl, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error("no options");
    return (await response.json()).request_options.publicKey;
  }
  const data = JSON.parse(document.getElementById(form.dataset.passkeyData).textContent);
  return (data.creation_options ?? data.request_options).publicKey;
}

async function run(form) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  try {
    const given = await options(form);
    const credential = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: creation(given) })
      : await navigator.credentials.get({ publicKey: request(given) });
    form.elements.credential.value = JSON.stringify(answer(credential));
    form.submit();
  } catch {
    problem.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]:not([data-passkey-ready])")) {
    form.dataset.passkeyReady = "";
    form.hidden = false;
    form.querySelector("[data-passkey-start]").addEventListener("click", () => run(form));
  }
}
