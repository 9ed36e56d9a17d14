// What a telephone makes by itself: ringing and busy tones, key tones, a voice that reads out. No recordings.

// Frequencies, and the rhythm as seconds of sound and silence in turn.
const RINGING = {
  us: [[440, 480], [2, 4]],
  jp: [[400], [1, 2]],
  uk: [[400, 450], [0.4, 0.2, 0.4, 2]],
  de: [[425], [1, 4]],
  fr: [[440], [1.5, 3.5]],
  au: [[400, 425], [0.4, 0.2, 0.4, 2]],
};
const BUSY = [[480, 620], [0.5, 0.5]];
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = '123A456B789C*0#D';

/** How long a browser may take to find its voices, in milliseconds. */
const VOICES = 1000;

let context;

/** To be called from a click: browsers make no sound before one. */
export function unlock() {
  context ??= new AudioContext();
  return context.resume();
}

/** A silent microphone, for those who have none. */
export function silence() {
  const destination = context.createMediaStreamDestination();
  // Where nothing is connected not even silence is sent, and the operator would wait for a sign of life.
  const nothing = new ConstantSourceNode(context, { offset: 0 });
  nothing.connect(destination);
  nothing.start();
  return destination.stream;
}

/** Reports how loud `stream` is, 0 to 1, until the returned function is called. */
export function listen(stream, report) {
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = requestAnimationFrame(function measure() {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    report(Math.min(1, Math.sqrt(power) * 4));
    frame = requestAnimationFrame(measure);
  });
  return () => {
    cancelAnimationFrame(frame);
    source.disconnect();
    report(0);
  };
}

function tone(frequencies, rhythm, repetitions) {
  const gain = context.createGain();
  gain.gain.value = 0;
  gain.connect(context.destination);
  let at = context.currentTime + 0.05;
  for (let round = 0; round < repetitions; round += 1) {
    rhythm.forEach((seconds, index) => {
      gain.gain.setTargetAtTime(index % 2 ? 0 : 0.06, at, 0.008);
      at += seconds;
    });
  }
  gain.gain.setTargetAtTime(0, at, 0.008);
  const oscillators = frequencies.map((frequency) => {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = frequency;
    oscillator.connect(gain);
    oscillator.start();
    oscillator.stop(at + 0.1);
    return oscillator;
  });
  return {
    done: new Promise((resolve) => { oscillators[0].onended = resolve; }),
    stop: () => { for (const oscillator of oscillators) oscillator.stop(); },
  };
}

/** The ringing tone of a country, for ten minutes or until stopped. */
export function ring(country) {
  const [frequencies, rhythm] = RINGING[country] ?? RINGING.us;
  return tone(frequencies, rhythm, Math.ceil(600 / rhythm.reduce((sum, part) => sum + part)));
}

/** The busy tone, for a moment. */
export function busy() {
  return tone(...BUSY, 4);
}

/** One key. */
export function key(digit) {
  const index = KEYS.indexOf(digit);
  if (index < 0) return { done: new Promise((resolve) => { setTimeout(resolve, 500); }), stop: () => {} };
  return tone([ROWS[index >> 2], COLUMNS[index & 3]], [0.12, 0.08], 1);
}

/** Chromium looks for its voices when it is first asked for them, and has none until then. */
const looked = new Promise((resolve) => {
  window.speechSynthesis?.addEventListener?.('voiceschanged', resolve, { once: true });
  setTimeout(resolve, hasVoice() ? 0 : VOICES);
});

function hasVoice() {
  return 'speechSynthesis' in window && speechSynthesis.getVoices().length > 0;
}

/** Reads a sentence out; resolves when it is read, or when it would have been. */
export async function speak(sentence, language) {
  await looked;
  await new Promise((resolve) => {
    // Some systems have no voice and say so by never saying anything.
    const patience = setTimeout(resolve, 1500 + sentence.length * 260);
    const done = () => {
      clearTimeout(patience);
      resolve();
    };
    if (!hasVoice()) {
      clearTimeout(patience);
      setTimeout(resolve, 600 + sentence.length * 60);
      return;
    }
    const utterance = new SpeechSynthesisUtterance(sentence);
    utterance.lang = language;
    utterance.onend = done;
    utterance.onerror = done;
    speechSynthesis.speak(utterance);
  });
}

/** Plays a recording of our own origin: whether it began, and when it is over. */
export function play(url) {
  const audio = new Audio(url);
  return {
    began: audio.play().then(() => true, () => false),
    done: new Promise((resolve) => {
      audio.onended = resolve;
      audio.onerror = resolve;
    }),
    stop: () => audio.pause(),
  };
}

/** No more words. */
export function hush() {
  window.speechSynthesis?.cancel();
}
