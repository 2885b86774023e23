// One desk, one page: the newer tab asks, the older one says so and lets go. By the browser's own locks, which end with
// the page however it ends.

const PATIENCE_MS = 1500; // a page that is being reloaded lets go a moment later

/**
 * Hold the desk `name`. Gives true, or false where another tab has it; `take` takes it from there. `lost()` is called
 * when another tab takes it from us.
 */
export async function hold(name, { take = false, lost = () => {}, patience = PATIENCE_MS } = {}) {
  if (!navigator.locks) return true; // no secure context: no soft-phone either
  const until = Date.now() + (take ? 0 : patience);
  for (;;) {
    if (await tried(name, take, lost)) return true;
    if (Date.now() >= until) return false;
    await new Promise((done) => setTimeout(done, 100));
  }
}

function tried(name, take, lost) {
  return new Promise((done) => {
    navigator.locks
      .request(`santun.desk.${name}`, take ? { steal: true } : { ifAvailable: true }, (lock) => {
        done(Boolean(lock));
        return lock ? new Promise(() => {}) : undefined; // held until the page goes or somebody steals it
      })
      .catch((error) => error.name === "AbortError" && lost());
  });
}
