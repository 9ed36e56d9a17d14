// What is really heard in a page: the remote tracks of its peer connections, measured. It needs `overhear` to have run in the page
// before its scripts, and changes nothing of what they do.
import { type Page, expect } from '@playwright/test';
import type { Caller } from './cloud.ts';

export interface Sound {
  /** Root mean square, 1 being full scale. */
  rms: number;
  dominantHz: number;
}

interface Overheard {
  peers: RTCPeerConnection[];
  microphones: MediaStreamTrack[];
  ear?: { track: MediaStreamTrack; analyser: AnalyserNode };
}

/** Runs in the page before any other script: remembers its peer connections and the microphones that it opened. */
export function overhear(): void {
  const peers: RTCPeerConnection[] = [];
  const microphones: MediaStreamTrack[] = [];
  // Only a secure context has devices.
  const media = 'MediaDevices' in globalThis ? MediaDevices.prototype : undefined;
  if (media) {
    const open = media.getUserMedia;
    media.getUserMedia = async function (constraints) {
      const stream = await open.call(this, constraints);
      microphones.push(...stream.getAudioTracks());
      return stream;
    };
  }
  const Native = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  };
  (globalThis as unknown as { overheard: Overheard }).overheard = { peers, microphones };
}

/** What the page's newest connection brings to the ear at this moment. */
export async function heardIn(page: Page): Promise<Sound> {
  return page.evaluate(async () => {
    const { overheard } = globalThis as unknown as { overheard: Overheard };
    const peer = overheard.peers.findLast((one) => one.connectionState === 'connected');
    const track = peer?.getReceivers().find((receiver) => receiver.track.kind === 'audio')?.track;
    if (!track) return { rms: 0, dominantHz: 0 };
    if (overheard.ear?.track !== track) {
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      analyser.smoothingTimeConstant = 0;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      await context.resume();
      overheard.ear = { track, analyser };
    }
    const { analyser } = overheard.ear;
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    const loudest = spectrum.reduce((best, level, bin) => (level > (spectrum[best] ?? -Infinity) ? bin : best), 0);
    return {
      rms: Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length),
      dominantHz: (loudest * analyser.context.sampleRate) / analyser.fftSize,
    };
  });
}

/** How many microphones the page has opened so far. */
export function openedMicrophones(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as { overheard: Overheard }).overheard.microphones.length);
}

/** How many microphones are open in the page. */
export function openMicrophones(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { overheard } = globalThis as unknown as { overheard: Overheard };
    return overheard.microphones.filter((track) => track.readyState === 'live').length;
  });
}

/** Waits until the page hears this tone. */
export async function hearsTone(page: Page, hz: number): Promise<void> {
  await expect(async () => {
    const { rms, dominantHz } = await heardIn(page);
    expect(rms, 'loudness').toBeGreaterThan(0.01);
    expect(Math.abs(dominantHz - hz), `${dominantHz} Hz instead of ${hz} Hz`).toBeLessThan(15);
  }).toPass({ timeout: 15_000, intervals: [100] });
}

/** Waits until both hear each other: the page the customer's tone, and the customer the page's microphone. */
export async function hearEachOther(page: Page, caller: Caller, hz: number): Promise<void> {
  await hearsTone(page, hz);
  await expect.poll(async () => (await caller.hears()).rms, 'what the customer hears').toBeGreaterThan(200);
}

/** Waits until the page hears anything. */
export async function hearsSomething(page: Page): Promise<void> {
  await expect.poll(async () => (await heardIn(page)).rms, { intervals: [50], timeout: 15_000 }).toBeGreaterThan(0.01);
}

/** Ends the page's open microphones, as pulling out a headset does. */
export async function unplug(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { overheard } = globalThis as unknown as { overheard: Overheard };
    for (const track of overheard.microphones) track.stop();
  });
}

/** Counts, from now on, the sounds that the page plays in a loop: its ringtone. */
export async function countRingtones(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const playing = new Set<AudioBufferSourceNode>();
    const sound = AudioBufferSourceNode.prototype;
    const { start, stop } = sound;
    sound.start = function (...when) {
      playing.add(this);
      start.apply(this, when);
    };
    sound.stop = function (...when) {
      playing.delete(this);
      stop.apply(this, when);
    };
    (globalThis as unknown as { playing: typeof playing }).playing = playing;
  });
  return () =>
    page.evaluate(() => {
      const { playing } = globalThis as unknown as { playing: Set<AudioBufferSourceNode> };
      return [...playing].filter(({ loop }) => loop).length;
    });
}

/** How many other sounds it has played since they are counted. */
export function otherSounds(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { playing } = globalThis as unknown as { playing: Set<AudioBufferSourceNode> };
    return [...playing].filter(({ loop }) => !loop).length;
  });
}
