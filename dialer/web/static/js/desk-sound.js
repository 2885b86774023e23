// Sounds for the agent alone: a chime when somebody is on the line, and how loud his microphone is.

let context = null;

/** The page's audio; browsers start it after a click, or while the microphone is on. */
function audio() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
  return context;
}

/** Two short notes; never sent to the other side, for it goes to the speaker and not into the call. */
export function chime(notes = [880, 1174.7]) {
  const ctx = audio();
  notes.forEach((pitch, turn) => {
    const at = ctx.currentTime + 0.02 + turn * 0.11;
    const tone = new OscillatorNode(ctx, { frequency: pitch, type: "sine" });
    const gain = new GainNode(ctx, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.16, at + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.1);
    tone.connect(gain).connect(ctx.destination);
    tone.start(at);
    tone.stop(at + 0.12);
  });
}

/** One low note: the line went, or a break ends. */
export const warn = () => chime([392]);

/** Tell `heard` ten times a second how loud `stream` is, 0 to 1; gives what ends it. */
export function meter(stream, heard) {
  const ctx = audio();
  const source = ctx.createMediaStreamSource(stream);
  const analyser = new AnalyserNode(ctx, { fftSize: 1024, smoothingTimeConstant: 0 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    // speech lies between -50 and -10 dB
    heard(Math.max(0, Math.min(1, (20 * Math.log10(loud + 1e-6) + 55) / 45)));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
