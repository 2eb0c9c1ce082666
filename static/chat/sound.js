// Two short tones of our own. Silent until somebody has touched the page, as browsers want it.
let audio = null;

export function ring() {
  audio ??= new AudioContext();
  if (audio.state === 'suspended') audio.resume();
  [[660, 0], [880, 0.13]].forEach(([pitch, begin]) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + begin;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.1, at);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  });
}
