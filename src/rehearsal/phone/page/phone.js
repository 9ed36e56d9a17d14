// The customer's phone: who calls, the call, and what the caller hears.
// The server decides what happens in a call; this page shows it, and speaks and listens.

import * as sounds from './sounds.js';
import { switchLanguage, text, translate } from './texts.js';

const UNKNOWN = '+447700900199';
const WITHHELD = 'anonymous';
const FINAL = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];

const at = (id) => document.getElementById(id);
const icon = (name) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#${name}`);
  svg.append(use);
  return svg;
};
const element = (name, className, content = '') => {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = content;
  return made;
};

let socket;
let people = [];
let company = '';
let call = null;
/** What asks for the microphone to call with: at most one at a time, and whoever leaves takes it away. */
let dialling = null;
/** How many calls were dialled that the rehearsal has not yet taken up: what it says until then is of earlier ones. */
let untaken = 0;
let trouble = null;

// The connection to the rehearsal

function connect() {
  socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/phone`);
  socket.onmessage = (message) => receive(JSON.parse(message.data));
  socket.onclose = () => {
    lost();
    setTimeout(connect, 1000);
  };
}

function online() {
  return socket.readyState === WebSocket.OPEN;
}

/** What cannot be sent has not happened: without the rehearsal there is no call. */
function send(message) {
  if (online()) socket.send(JSON.stringify(message));
  else lost();
}

function lost() {
  untaken = 0;
  turnTo(null);
  if (call && !call.over) end(call.began ? 'cut' : 'failed');
  say('offline');
}

function receive(message) {
  if (message.type === 'hello') {
    ({ people, number: company } = message);
    turnTo(dialling);
    if (trouble === 'offline') say(null);
    drawPeople();
    at('company').textContent = spaced(company);
    return;
  }
  if (message.type === 'dialled' || message.type === 'refused') untaken -= 1;
  if (untaken > 0 || !call?.dialled || call.over) return;
  const handlers = {
    dialled: () => take(message.sdp),
    refused: () => fail('refused'),
    status: () => status(message.status),
    ringback: () => ringback(message.on, message.tone),
    talking: () => talking(message.on),
    say: () => announce('i-voice', message.text, message.language, () => sounds.speak(message.text, message.language), message.id),
    play: () => play(message.url, message.id),
    tones: () => announce('i-keys', text('tones', message.digits), null, () => press(message.digits), message.id),
    digit: () => heard('i-keys', text('pressed', message.digit)),
  };
  handlers[message.type]?.();
}

// A call

async function dial(withMicrophone = true) {
  if (dialling || (call && !call.over)) return;
  if (!online()) {
    lost();
    return;
  }
  const from = caller();
  if (!from.number) {
    show('idle');
    say(from.trouble);
    at('other').focus();
    // It may have the focus already, and the notice has taken room.
    at('other').scrollIntoView({ block: 'nearest' });
    return;
  }
  if (!window.RTCPeerConnection) {
    show('idle');
    say('unsupported');
    return;
  }
  say(null);
  const attempt = {};
  turnTo(attempt);
  await sounds.unlock();
  const { microphone, trouble } = withMicrophone ? await openMicrophone() : { microphone: sounds.silence() };
  if (dialling !== attempt) {
    for (const track of microphone?.getTracks() ?? []) track.stop();
    return;
  }
  turnTo(null);
  if (!microphone) {
    show('idle');
    say(trouble);
    at('without').hidden = false;
    at('without').focus();
    return;
  }
  await place(from, microphone, withMicrophone);
}

/** Begins to dial, or no longer does. */
function turnTo(attempt) {
  dialling = attempt;
  for (const id of ['dial', 'without', 'again']) at(id).disabled = Boolean(dialling) || !online();
}

async function place(from, microphone, withMicrophone) {
  const pc = new RTCPeerConnection();
  call = { pc, microphone, withMicrophone, from, over: false, stop: [], phase: 'dialling', began: null };
  at('heard').replaceChildren();
  show('call');
  drawCall();
  at('callee').focus();
  for (const track of microphone.getAudioTracks()) pc.addTrack(track, microphone);
  pc.ontrack = ({ streams: [stream] }) => {
    at('voice').srcObject = stream;
    call.stop.push(sounds.listen(stream, (level) => at('halo').style.setProperty('--level', level.toFixed(2))));
  };
  pc.onconnectionstatechange = () => {
    if (call?.pc !== pc || call.over) return;
    if (['disconnected', 'failed'].includes(pc.connectionState)) at('state').textContent = text('reconnecting');
    else drawCall();
  };
  // Whoever hangs up meanwhile has closed it.
  await pc.setLocalDescription().catch(() => {});
  if (call?.pc !== pc || call.over) return;
  untaken += 1;
  call.dialled = true;
  send({ type: 'dial', from: from.number, sdp: pc.localDescription.sdp });
}

async function openMicrophone() {
  try {
    const audio = { echoCancellation: true, noiseSuppression: true };
    return { microphone: await navigator.mediaDevices.getUserMedia({ audio }) };
  } catch (error) {
    return { trouble: error.name === 'NotFoundError' ? 'microphoneMissing' : 'microphoneDenied' };
  }
}

async function take(sdp) {
  const current = call;
  try {
    await call.pc.setRemoteDescription({ type: 'answer', sdp });
  } catch {
    if (call !== current || call.over) return;
    send({ type: 'hangup' });
    fail('refused');
  }
}

function status(name) {
  if (FINAL.includes(name)) {
    end(name);
    return;
  }
  if (name === 'ringing') call.phase = 'waiting';
  if (name === 'in-progress') {
    call.phase = call.ring ? 'ringing' : 'machine';
    call.began = Date.now();
    call.ticking = setInterval(drawClock, 250);
    call.stop.push(() => clearInterval(call.ticking));
  }
  drawCall();
}

function ringback(on, country) {
  call.ring?.stop();
  call.ring = on ? sounds.ring(country) : null;
  if (on) call.phase = 'ringing';
  else if (call.phase === 'ringing') call.phase = call.began ? 'machine' : 'waiting';
  drawCall();
}

function talking(on) {
  call.phase = on ? 'talking' : 'waiting';
  drawCall();
}

async function announce(symbol, sentence, language, perform, id) {
  const current = call;
  heard(symbol, sentence, language);
  listens();
  await perform();
  if (call === current && !call.over) send({ type: 'spoken', id });
}

async function play(url, id) {
  const current = call;
  const { began, done, stop } = sounds.play(url);
  call.stop.push(stop);
  listens();
  const failed = !(await began);
  if (call !== current || call.over) return;
  heard('i-voice', text(failed ? 'unplayable' : 'played'));
  if (!failed) await done;
  if (call === current && !call.over) send({ type: 'spoken', id, failed });
}

function listens() {
  if (call.phase === 'waiting') call.phase = 'machine';
  drawCall();
}

async function press(digits) {
  for (const digit of digits) await sounds.key(digit).done;
}

function heard(symbol, sentence, language) {
  const line = element('li', symbol === 'i-voice' && language ? '' : 'aside');
  const words = element('span', '', sentence);
  if (language) words.lang = language;
  line.append(icon(symbol), words);
  at('heard').append(line);
  line.scrollIntoView({ block: 'nearest' });
}

function end(name) {
  call.over = true;
  call.phase = 'over';
  call.outcome = name;
  call.ring?.stop();
  sounds.hush();
  for (const stop of call.stop) stop();
  call.pc.close();
  for (const track of call.microphone.getTracks()) track.stop();
  at('voice').srcObject = null;
  if (name === 'busy') sounds.busy();
  keypad(false);
  at('during').hidden = true;
  at('after').hidden = false;
  drawCall();
  if (!at('call').hidden) at(online() ? 'again' : 'back').focus();
}

/** Whatever the rehearsal makes of it, the phone is down. */
function hangUp() {
  if (!call || call.over) return;
  send({ type: 'hangup' });
  if (!call.over) end(call.began ? 'completed' : 'canceled');
}

function fail(reason) {
  end('failed');
  show('idle');
  say(reason);
}

// What is shown

function show(screen) {
  at('idle').hidden = screen !== 'idle';
  at('call').hidden = screen !== 'call';
  // What is wrong is said where it is seen.
  at(screen).querySelector('.dock').prepend(at('trouble'));
  at('during').hidden = false;
  at('after').hidden = true;
  at('mute').setAttribute('aria-pressed', 'false');
  keypad(false);
}

function say(key) {
  trouble = key;
  at('trouble').hidden = !key;
  at('trouble').textContent = key ? text(key) : '';
  if (key) at('trouble').scrollIntoView({ block: 'nearest' });
  if (key !== 'microphoneDenied' && key !== 'microphoneMissing') at('without').hidden = true;
}

function drawCall() {
  if (!call) return;
  at('call').dataset.phase = call.phase;
  at('callee').textContent = spaced(company) || text('callee');
  at('state').textContent = text(call.over ? call.outcome : call.phase);
  at('as').textContent = call.from.label();
  drawClock();
}

function drawClock() {
  const seconds = call?.began ? Math.floor(((call.ended ?? Date.now()) - call.began) / 1000) : null;
  if (call?.over && call.began) call.ended ??= Date.now();
  const two = (number) => String(number).padStart(2, '0');
  at('clock').textContent = seconds === null ? '' : `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

function callers() {
  return [
    ...people.map(({ label, number, operator }) => ({
      id: number,
      number,
      label: () => label,
      note: () => (operator ? `${spaced(number)} → ${operator}` : spaced(number)),
      face: [...label][0],
    })),
    { id: 'unknown', number: UNKNOWN, label: () => text('unknown'), note: () => spaced(UNKNOWN), face: '?' },
    { id: 'withheld', number: WITHHELD, label: () => text('withheld'), note: () => text('withheldNote'), face: '–' },
    { id: 'other', number: null, label: () => text('other'), note: () => text('otherNote'), face: '#' },
  ];
}

function drawPeople() {
  const chosen = document.querySelector('[name="caller"]:checked')?.value ?? sessionStorage.getItem('caller');
  const typed = at('other')?.value ?? '';
  const list = callers();
  const rows = list.map((person, index) => {
    const row = element('label', 'person');
    const radio = Object.assign(document.createElement('input'), { type: 'radio', name: 'caller', value: person.id });
    radio.checked = person.id === chosen || (index === 0 && !list.some(({ id }) => id === chosen));
    const face = element('span', 'face', person.face);
    face.ariaHidden = 'true';
    const words = document.createElement('span');
    words.append(element('span', 'name', person.label()), element('span', 'number', person.note()));
    row.append(radio, face, words);
    return row;
  });
  const other = Object.assign(element('input', 'other'), { id: 'other', type: 'tel', autocomplete: 'off', value: typed });
  other.setAttribute('aria-label', text('otherLabel'));
  other.placeholder = '+81 90 1234 5678';
  at('people').replaceChildren(...rows, other);
  drawOther();
}

function drawOther() {
  at('other').hidden = document.querySelector('[name="caller"]:checked')?.value !== 'other';
}

function caller() {
  const chosen = document.querySelector('[name="caller"]:checked')?.value;
  const found = callers().find(({ id }) => id === chosen);
  if (found?.number) return found;
  const typed = at('other').value.trim();
  const number = e164(typed);
  return number ? { ...found, number, label: () => spaced(number) } : { trouble: typed ? 'numberUnfit' : 'numberMissing' };
}

/** The number as Twilio sends it, however it was typed; `null` if that cannot be. */
function e164(typed) {
  const number = typed.replace(/[\s.．()（）[\]［］\-－\u2010-\u2015−ー]/gu, '').normalize('NFKC');
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : null;
}

/** A number in groups, as people read it. */
function spaced(number) {
  const parts = /^(\+1)(\d{3})(\d{3})(\d{4})$/.exec(number) ?? /^(\+44)(\d{4})(\d{3})(\d{3})$/.exec(number) ?? /^(\+\d\d)(\d{1,3})(\d{3})(\d{3,4})$/.exec(number);
  return parts ? parts.slice(1).join(' ') : number;
}

function keypad(open) {
  at('keys').hidden = !open;
  at('keypad').setAttribute('aria-expanded', String(open));
  if (open) at('keys').scrollIntoView({ block: 'nearest' });
}

function pressKey(digit) {
  if (!call || call.over) return;
  sounds.key(digit);
  send({ type: 'digits', digits: digit });
}

// What people do

at('idle').addEventListener('submit', (event) => {
  event.preventDefault();
  dial();
});
at('without').addEventListener('click', () => dial(false));
at('people').addEventListener('change', (event) => {
  if (event.target.name !== 'caller') return;
  sessionStorage.setItem('caller', event.target.value);
  drawOther();
  if (trouble === 'numberMissing' || trouble === 'numberUnfit') say(null);
  if (event.target.value === 'other' && !passing) at('other').focus();
});
// Arrows go through the callers one by one: who passes by a choice has not yet made it.
let passing = false;
at('people').addEventListener('keydown', ({ key }) => { passing = key.startsWith('Arrow'); });
at('people').addEventListener('keyup', () => { passing = false; });
at('hangup').addEventListener('click', hangUp);
at('mute').addEventListener('click', () => {
  const muted = at('mute').getAttribute('aria-pressed') !== 'true';
  at('mute').setAttribute('aria-pressed', String(muted));
  for (const track of call.microphone.getAudioTracks()) track.enabled = !muted;
});
at('keypad').addEventListener('click', () => keypad(at('keys').hidden));
at('back').addEventListener('click', () => {
  turnTo(null);
  show('idle');
  at('dial').focus();
});
at('again').addEventListener('click', () => dial(call.withMicrophone));
at('language').addEventListener('click', () => {
  switchLanguage();
  translate();
  drawPeople();
  drawCall();
  if (trouble) say(trouble);
});
document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input') || event.ctrlKey || event.metaKey || event.altKey;
  if (!typing && !at('call').hidden && /^[0-9*#]$/.test(event.key)) pressKey(event.key);
});

for (const digit of '123456789*0#') {
  const key = element('button', '', digit);
  key.type = 'button';
  key.addEventListener('click', () => pressKey(digit));
  at('keys').append(key);
}

translate();
connect();
