/** Light or dark: the system's, until a person chooses. */

const key = "pellucid-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

// A browser may refuse the storage; then a choice holds until the page is closed.
function kept() {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(theme) {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // The choice holds until the page is closed.
  }
}

export function startTheme(toggle) {
  let chosen = kept();
  const current = () => chosen ?? (system.matches ? "dark" : "light");
  const show = () => {
    document.documentElement.dataset.theme = current();
    toggle.textContent = current() === "dark" ? "Light" : "Dark";
    toggle.setAttribute("aria-label", `Switch to ${current() === "dark" ? "light" : "dark"} colours`);
  };
  toggle.addEventListener("click", () => {
    chosen = current() === "dark" ? "light" : "dark";
    keep(chosen);
    show();
  });
  system.addEventListener("change", show);
  show();
}
