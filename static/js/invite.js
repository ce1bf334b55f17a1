// The button says how many people it invites.

for (const form of document.querySelectorAll("[data-invite-form]")) {
  const field = form.querySelector("[data-invite]");
  const button = form.querySelector("[data-invite-button]");
  const plain = button.textContent;
  const count = () => {
    const number = new Set(field.value.toLowerCase().split(/[\s,;]+/).filter(part => part.includes("@"))).size;
    button.textContent = number === 0 ? plain : number === 1 ? form.dataset.one : form.dataset.many.replace("#", number);
  };
  field.addEventListener("input", count);
  count();
}
