// Short sounds of our own, made of plain tones: pitch in hertz, beginning and length in seconds.
const SOUNDS = {
  new: [[660, 0, 0.12], [880, 0.12, 0.2]],
  message: [[740, 0, 0.14]],
  chat: [[880, 0, 0.1], [1109, 0.1, 0.1], [1319, 0.2, 0.2]],
  ring: [[523, 0, 0.35], [659, 0.22, 0.5]],
  alert: [[520, 0, 0.14], [520, 0.2, 0.14], [390, 0.4, 0.25]],
};
// At full volume; a whole page of a loud office stays bearable.
const LOUDNESS = 0.2;
let audio = null;

const context = () => {
  audio ??= window.AudioContext ? new AudioContext() : null;
  return audio;
};

// Whether the browser keeps the page from sounding until somebody touches it.
export const isSilent = () => context()?.state === 'suspended';
export const resume = async () => { if (context()?.state === 'suspended') await audio.resume(); };

// `percent` of the volume; 0 is silence.
export function play(name, percent) {
  if (!percent || !context() || isSilent()) return;
  for (const [pitch, begin, length] of SOUNDS[name] ?? []) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + begin;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime((LOUDNESS * percent) / 100, at + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + length);
  }
}
