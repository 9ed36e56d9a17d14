// ===== 設定値 =====
// 実環境の Functions ドメインに置き換えてください
const FUNCTIONS_BASE_URL = 'https://YOUR-FUNCTIONS-DOMAIN.twil.io';
// オペレーターの identity は URL クエリ ?identity=user001 を優先し、なければ既定値を使用します
const DEFAULT_OPERATOR_ID = 'user001';
const urlParams = new URLSearchParams(location.search);
const OPERATOR_ID = urlParams.get('identity') || DEFAULT_OPERATOR_ID;
const TOKEN_URL = (id) => `${FUNCTIONS_BASE_URL}/token?identity=${encodeURIComponent(id)}`;
// ===== 状態 =====
let device = null;
let pendingCall = null;
let activeCall = null;
// ===== 補助関数 =====
function $(id) { return document.getElementById(id); }
function safeText(id, text) {
  const el = $(id);
  if (el) el.textContent = text;
}
function log(line) {
  // 掲載用の簡易ログ。個人情報は記録しません。
  const box = $('status');
  if (!box) return;
  const t = new Date().toLocaleTimeString();
  box.textContent += `[${t}] ${line}\n`;
}
async function fetchToken(id) {
  const res = await fetch(TOKEN_URL(id), { method: 'GET', cache: 'no-store' });
  if (!res.ok) {
    const text = await res.text().catch(() => '');
    throw new Error(`token fetch failed: ${res.status} ${text}`);
  }
  return res.json();
}
async function ensureMicPermission() {
  // ブラウザ権限の取得。拒否時は例外になります。
  await navigator.mediaDevices.getUserMedia({ audio: true });
}
// ===== 初期化フロー =====
async function initialize() {
  const initButton = $('initButton');
  try {
    if (initButton) initButton.disabled = true;
    safeText('initStatus', 'マイク権限を確認します…');
    await ensureMicPermission();
    safeText('initStatus', 'トークンを取得します…');
    const { token, identity } = await fetchToken(OPERATOR_ID);
    // Twilio Voice SDK v2
    device = new Twilio.Device(token);
    await device.register();
    wireDeviceEvents(device);
    safeText('initStatus', `初期化済み。受話待機中 ( identity: ${identity} )`);
    const incomingSection = $('incomingSection');
    if (incomingSection) incomingSection.style.display = 'block';
  } catch (e) {
    safeText('initStatus', '初期化に失敗しました。リトライしてください。');
    log(`init error`);
    if (initButton) initButton.disabled = false;
  }
}
function wireDeviceEvents(dev) {
  dev.on('registered', () => log('Device.registered'));
  dev.on('unregistered', () => log('Device.unregistered'));
  dev.on('error', () => log('Device.error'));
  // トークン更新
  dev.on('tokenWillExpire', async () => {
    try {
      log('tokenWillExpire → 更新します');
      const { token } = await fetchToken(OPERATOR_ID);
      await dev.updateToken(token);
      log('トークンを更新しました');
    } catch {
      log('トークン更新失敗');
    }
  });
  // 着信処理
  dev.on('incoming', (call) => {
    pendingCall = call;
    // /incoming で付与した UI 表示用メタ情報を取得します
    const customerName = call.customParameters?.get('customerName') || '不明';
    const customerId = call.customParameters?.get('customerId') || 'unknown';
    // 顧客名は UI のみに表示し、ログには記録しません
    safeText('incomingInfo', `着信: ${customerName} (ID: ${customerId})`);
    log('incoming を受信しました');
    const answerBtn = $('answerBtn');
    const rejectBtn = $('rejectBtn');
    const hangupBtn = $('hangupBtn');
    if (answerBtn) answerBtn.disabled = false;
    if (rejectBtn) rejectBtn.disabled = false;
    if (hangupBtn) hangupBtn.disabled = true;
    call.on('disconnect', () => {
      log('通話が終了しました');
      activeCall = null;
      pendingCall = null;
      if (answerBtn) answerBtn.disabled = true;
      if (rejectBtn) rejectBtn.disabled = true;
      if (hangupBtn) hangupBtn.disabled = true;
      safeText('incomingInfo', '着信待ち');
    });
    call.on('error', () => log('Call.error'));
  });
  dev.on('connect', (call) => {
    log('connect しました');
    activeCall = call;
    const hangupBtn = $('hangupBtn');
    if (hangupBtn) hangupBtn.disabled = false;
  });
}
// ===== DOM 構築後にイベントを束ねる =====
document.addEventListener('DOMContentLoaded', () => {
  const initButton = $('initButton');
  const answerBtn = $('answerBtn');
  const rejectBtn = $('rejectBtn');
  const hangupBtn = $('hangupBtn');
  if (initButton) initButton.addEventListener('click', initialize);
  if (answerBtn) {
    answerBtn.addEventListener('click', async () => {
      if (!pendingCall) return;
      try {
        answerBtn.disabled = true;
        if (rejectBtn) rejectBtn.disabled = true;
        await pendingCall.accept();
        log('受話しました');
        if (hangupBtn) hangupBtn.disabled = false;
      } catch {
        log('受話失敗');
        answerBtn.disabled = false;
        if (rejectBtn) rejectBtn.disabled = false;
      }
    });
  }
  if (rejectBtn) {
    rejectBtn.addEventListener('click', async () => {
      try {
        rejectBtn.disabled = true;
        if (answerBtn) answerBtn.disabled = true;
        await pendingCall?.reject();
        log('着信を拒否しました');
      } catch {
        log('拒否失敗');
      } finally {
        pendingCall = null;
        const hangupBtn2 = $('hangupBtn');
        if (hangupBtn2) hangupBtn2.disabled = true;
        safeText('incomingInfo', '着信待ち');
      }
    });
  }
  if (hangupBtn) {
    hangupBtn.addEventListener('click', async () => {
      try {
        hangupBtn.disabled = true;
        await activeCall?.disconnect();
        log('切断しました');
      } catch {
        log('切断失敗');
      } finally {
        activeCall = null;
        pendingCall = null;
        safeText('incomingInfo', '着信待ち');
        if (answerBtn) answerBtn.disabled = true;
        if (rejectBtn) rejectBtn.disabled = true;
      }
    });
  }
});
