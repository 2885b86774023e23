// What this browser keeps for its user. A browser that refuses (private mode, full) only forgets sooner.

const PREFIX = "santun.";
const memory = new Map();

/** The value under `name`, or `otherwise`. */
export function kept(name, otherwise = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? memory.get(name) ?? otherwise : text;
  } catch {
    return memory.get(name) ?? otherwise;
  }
}

/** Keep a text; null forgets it. */
export function keep(name, text) {
  if (text === null) memory.delete(name);
  else memory.set(name, text);
  try {
    if (text === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    // memory has it
  }
}
