// The console: reads the operator's event stream, draws memory by rung over time, lists sessions, and chats.
// Everything the server says is put into the page as text, never as markup.

const $ = id => document.getElementById(id);
const kept = 300; // points of the chart, one a second
const colours = 10;
const svgNames = 'http://www.w3.org/2000/svg';
const history = [];
let last = null;
let reading = null;

// ---- words and numbers

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (Math.abs(count) >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

const rate = value => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1));
const percent = share => `${Math.round(share * 100)} %`;
const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

function cell(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  if (name === 'th') made.scope = 'row';
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS(svgNames, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function say(id, text, bad) {
  $(id).textContent = text;
  $(id).classList.toggle('bad', Boolean(bad));
}

function connection(text, kind) {
  $('state').textContent = text;
  $('state').className = `status ${kind ?? ''}`;
}

// ---- events

async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value.replaceAll('\r\n', '\n');
    let end;
    while ((end = rest.indexOf('\n\n')) >= 0) {
      const event = { type: 'message', data: [] };
      for (const line of rest.slice(0, end).split('\n')) {
        if (line.startsWith('data:')) event.data.push(line.slice(5).replace(/^ /, ''));
        if (line.startsWith('event:')) event.type = line.slice(6).trim();
      }
      rest = rest.slice(end + 2);
      if (event.data.length > 0) yield { type: event.type, data: event.data.join('\n') };
    }
  }
}

async function messageOf(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

function leaveWith(note) {
  $('gate').hidden = false;
  $('tiles').hidden = $('board').hidden = true;
  sessionStorage.removeItem('operator-key');
  say('gate-note', note, true);
  connection('not connected');
}

async function connect(key) {
  reading?.abort();
  const mine = reading = new AbortController();
  let wait = 500;
  connection('connecting …');
  while (!mine.signal.aborted) {
    try {
      const response = await fetch('/admin/events', { headers: { authorization: `Bearer ${key}` }, signal: mine.signal });
      if (response.status === 404) {
        return leaveWith('This server has no operator\'s key. Make one:\n  concertina key new\nset its hash as Admin:KeySha256 (or the environment variable Admin__KeySha256), and start the server again.');
      }
      if (response.status === 401) return leaveWith('The server does not know this key.');
      if (!response.ok) throw new Error(await messageOf(response));
      wait = 500;
      sessionStorage.setItem('operator-key', key);
      $('gate').hidden = true;
      $('tiles').hidden = $('board').hidden = false;
      for await (const event of eventsOf(response)) {
        if (event.type === 'trouble') {
          connection(JSON.parse(event.data).message, 'lost');
        } else {
          connection('live', 'live');
          show(JSON.parse(event.data));
        }
      }
      throw new Error('The stream ended.');
    } catch (problem) {
      if (mine.signal.aborted) return;
      connection(`lost, trying again: ${problem.message}`, 'lost');
      await new Promise(done => setTimeout(done, wait));
      wait = Math.min(wait * 2, 10_000);
    }
  }
}

// ---- what is shown

function rungsOf(workers) {
  const rungs = new Map();
  for (const worker of workers) {
    for (const rung of worker.rungs) {
      const all = rungs.get(rung.rung) ?? { name: rung.rung, bytes: 0, sessions: 0, planned: 0 };
      all.bytes += rung.bytes;
      all.sessions += rung.sessions;
      all.planned += rung.planned;
      rungs.set(rung.rung, all);
    }
  }
  const all = [...rungs.values()].map((rung, index) => ({ ...rung, colour: `f${index % colours}` }));
  // Prefix columns keep the lossless form; those that nobody uses are shown apart, because they make way at once.
  const idle = sum(workers, worker => worker.reclaimable_bytes);
  if (all.length > 0) all[0].bytes = Math.max(0, all[0].bytes - idle);
  return all;
}

const mark = (worker, share) =>
  worker.used_bytes - worker.reclaimable_bytes + ((share - (worker.pressure ?? 0)) * worker.promisable_bytes);

function show(now) {
  const workers = now.workers;
  const rungs = rungsOf(workers);
  const used = sum(workers, worker => worker.used_bytes);
  const point = {
    at: now.at,
    rungs,
    used,
    idle: sum(workers, worker => worker.reclaimable_bytes),
    budget: sum(workers, worker => worker.budget_bytes),
    // Where the used bytes stand, prefix columns that nobody uses left out, when pressure is at a watermark.
    high: sum(workers, worker => mark(worker, worker.high_watermark)),
    low: sum(workers, worker => mark(worker, worker.low_watermark)),
  };
  point.other = Math.max(0, used - point.idle - sum(rungs, rung => rung.bytes));
  history.push(point);
  if (history.length > kept) history.shift();
  showTiles(now, point);
  showRungs(point);
  showSessions(now);
  draw();
  const models = [...new Set(workers.map(worker => worker.model))];
  $('model').textContent = models.join(', ');
  $('model').hidden = models.length === 0;
  last = now;
}

function tile(name, value, sub, kind) {
  $(`t-${name}`).textContent = value;
  $(`t-${name}-sub`).textContent = sub;
  $(`t-${name}`).closest('.tile').className = `tile ${kind ?? ''}`;
}

function perSecond(now, of) {
  if (!last || now.at <= last.at) return 0;
  return Math.max(0, sum(now.workers, worker => of(worker.totals)) - sum(last.workers, worker => of(worker.totals))) / (now.at - last.at);
}

function showTiles(now, point) {
  const workers = now.workers;
  const fullest = workers.reduce((most, worker) => ((worker.pressure ?? 0) > (most?.pressure ?? -1) ? worker : most), null);
  const pressure = fullest?.pressure ?? 0;
  const high = fullest?.high_watermark ?? 1;
  tile('pressure', percent(pressure), `squeezes at ${percent(high)}`, pressure >= high ? 'bad' : pressure >= (fullest?.low_watermark ?? 1) ? 'warn' : '');
  const holds = workers.map(worker => worker.budget_hold).filter(Boolean);
  tile('used', bytes(point.used), holds.length > 0
    ? `of ${bytes(point.budget)} → ${bytes(sum(workers, worker => worker.target_bytes))} (${holds[0]})`
    : `of ${bytes(point.budget)}`);
  const held = sum(workers, worker => worker.session_bytes);
  tile('ratio', `${(held > 0 ? sum(workers, worker => worker.lossless_bytes) / held : 1).toFixed(2)}×`, 'lossless ÷ held');
  tile('gen', `${rate(perSecond(now, totals => totals.generated_tokens))} t/s`, `prefill ${rate(perSecond(now, totals => totals.prefilled_tokens))} t/s`);
  tile('run', String(sum(workers, worker => worker.running)), `${sum(workers, worker => worker.idle)} idle, ${sum(workers, worker => worker.queued)} queued`);
  tile('squeeze', `${bytes(perSecond(now, totals => totals.reclaimed_bytes))}/s`, `${rate(perSecond(now, totals => totals.transcoded_units))} units/s`);
  tile('undo', String(sum(workers, worker => worker.undo_backlog)), `${sum(workers, worker => worker.undo_backlog_tokens).toLocaleString('en')} tokens`);
  const disk = sum(workers, worker => sum(worker.tiers, tier => (tier.tier === 'disk' ? tier.bytes : 0)));
  tile('disk', bytes(disk), `${sum(workers, worker => worker.totals.spilled_sessions)} spilled, ${sum(workers, worker => worker.totals.restored_sessions)} woken`);
  const violations = sum(workers, worker => worker.totals.floor_violations);
  tile('refused', String(sum(workers, worker => worker.totals.refused)), `${violations} floors broken`, violations > 0 ? 'bad' : '');
}

function dot(colour) {
  const made = document.createElement('span');
  made.className = 'dot';
  const box = shape('svg', { viewBox: '0 0 11 11', 'aria-hidden': 'true' });
  box.append(shape('rect', { width: 11, height: 11, rx: 3, class: colour }));
  made.append(box);
  return made;
}

function showRungs(point) {
  const line = (colour, title, ...cells) => {
    const row = document.createElement('tr');
    const name = cell('th', '');
    name.append(dot(colour), title);
    row.append(name, ...cells.map(text => cell('td', text, 'num')));
    return row;
  };
  $('rungs').replaceChildren(
    ...point.rungs.map(rung => line(rung.colour, rung.name, bytes(rung.bytes), rung.sessions, rung.planned)),
    line('fp', 'prefix, unused', bytes(point.idle), '', ''),
    line('fx', 'tables, scratch', bytes(point.other), '', ''));
}

const states = ['running', 'idle', 'resting'];

function showSessions(now) {
  const order = [...now.sessions].sort((a, b) => (a.state === b.state ? b.kv_bytes - a.kv_bytes || b.disk_bytes - a.disk_bytes : states.indexOf(a.state) - states.indexOf(b.state)));
  const rows = order.map(session => {
    const row = document.createElement('tr');
    const name = session.id.slice(session.tenant.length + 1);
    const label = cell('td', name.startsWith('~') ? '(no session)' : name, 'name');
    label.title = name;
    row.append(
      cell('td', session.tenant), label,
      cell('td', session.state, session.state),
      cell('td', session.tokens.toLocaleString('en'), 'num'),
      cell('td', bytes(session.kv_bytes), 'num'),
      cell('td', bytes(session.disk_bytes), 'num'),
      ...(session.state === 'resting' ? [cell('td', '–'), cell('td', '–', 'num'), cell('td', '–')] : [
        cell('td', session.rung === session.target ? session.rung : `${session.rung} → ${session.target}`),
        cell('td', `${session.ratio.toFixed(2)}×`, 'num'),
        cell('td', session.exact ? 'yes' : 'no', session.exact ? '' : 'lossy'),
      ]));
    return row;
  });
  if (rows.length === 0) {
    const none = cell('td', 'No session is in memory or on disk now.');
    none.colSpan = 9;
    const row = document.createElement('tr');
    row.append(none);
    rows.push(row);
  }
  $('sessions').replaceChildren(...rows);
  $('sessions-note').textContent = now.more_sessions ? `the first ${order.length}; GET /admin/sessions lists all` : `${order.length}`;
}

// ---- the chart

function draw() {
  const chart = $('chart');
  const width = chart.clientWidth || 600;
  const height = chart.clientHeight || 260;
  const edge = { left: 58, right: 8, top: 16, bottom: 20 };
  const inner = { width: width - edge.left - edge.right, height: height - edge.top - edge.bottom };
  const now = history[history.length - 1];
  if (!now) return;
  const most = 1.06 * Math.max(1, ...history.map(point => Math.max(point.budget, point.used)));
  const span = Math.min(kept - 1, Math.max(60, now.at - history[0].at));
  const x = at => edge.left + inner.width * (1 - (now.at - at) / span);
  const y = value => edge.top + inner.height * (1 - value / most);
  const parts = [];
  for (let i = 0; i <= 4; i++) {
    const value = (most * i) / 4;
    parts.push(shape('line', { class: 'grid', x1: edge.left, x2: width - edge.right, y1: y(value), y2: y(value) }));
    parts.push(shape('text', { x: edge.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, bytes(value)));
  }
  const tick = span > 150 ? 60 : 20;
  for (let seconds = 0; seconds < span; seconds += tick) {
    const text = seconds === 0 ? 'now' : tick === 60 ? `−${seconds / 60} min` : `−${seconds} s`;
    parts.push(shape('text', { x: x(now.at - seconds), y: height - 4, 'text-anchor': seconds === 0 ? 'end' : 'middle' }, text));
  }
  let below = history.map(() => 0);
  for (const layer of [{ of: point => point.other, colour: 'fx' }, ...now.rungs.map(rung => ({
    of: point => point.rungs.find(each => each.name === rung.name)?.bytes ?? 0, colour: rung.colour,
  })), { of: point => point.idle, colour: 'fp' }]) {
    const above = history.map((point, index) => below[index] + layer.of(point));
    const there = history.map((point, index) => `${x(point.at).toFixed(1)},${y(above[index]).toFixed(1)}`);
    const back = history.map((point, index) => `${x(point.at).toFixed(1)},${y(below[index]).toFixed(1)}`).reverse();
    parts.push(shape('path', { class: layer.colour, d: `M${there.join('L')}L${back.join('L')}Z` }));
    below = above;
  }
  const line = (of, kind) => shape('path', { class: kind, fill: 'none', d: `M${edge.left},${y(of(history[0])).toFixed(1)}L${history.map(point => `${x(point.at).toFixed(1)},${y(of(point)).toFixed(1)}`).join('L')}` });
  parts.push(line(point => point.low, 'mark-low'), line(point => point.high, 'mark-high'), line(point => point.budget, 'budget'));
  const label = (value, text, lift) => shape('text', { class: 'label', x: edge.left + 4, y: y(value) + lift }, text);
  parts.push(label(history[0].budget, 'budget', -4), label(history[0].high, 'high watermark', -3), label(history[0].low, 'low watermark', 11));
  $('chart-desc').textContent = `${bytes(now.used)} of ${bytes(now.budget)} in use: ${now.rungs.filter(rung => rung.bytes > 0).map(rung => `${rung.name} ${bytes(rung.bytes)}`).join(', ')}.`;
  chart.setAttribute('viewBox', `0 0 ${width} ${height}`);
  chart.replaceChildren($('chart-title'), $('chart-desc'), ...parts);
}

// ---- budget

$('budget-form').addEventListener('submit', async event => {
  event.preventDefault();
  say('budget-note', '…');
  try {
    const response = await fetch('/admin/kv/budget', {
      method: 'PUT',
      headers: { authorization: `Bearer ${sessionStorage.getItem('operator-key')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ bytes: $('budget').value.trim() }),
    });
    if (!response.ok) return say('budget-note', await messageOf(response), true);
    const changed = (await response.json()).data;
    say('budget-note', changed.map(budget => `${budget.worker}: ${bytes(budget.target_bytes)}${budget.hold ? `, held up by ${budget.hold}` : ''}`).join('; '));
  } catch (problem) {
    say('budget-note', problem.message, true);
  }
});

// ---- chat

let talk = [];
let session = null;
let answering = null;

function bubble(role, text) {
  const made = cell('div', text, `msg ${role}`);
  $('log').append(made);
  $('log').scrollTop = $('log').scrollHeight;
  return made;
}

function fresh() {
  answering?.abort();
  talk = [];
  session = `console-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
  $('log').replaceChildren();
}

function factsOf(usage) {
  const kv = usage.kv;
  const ran = kv ? ` · ran on ${kv.rung}, ${kv.ratio.toFixed(2)}×, ${kv.exact ? 'exact' : 'not exact'}` : '';
  return `${usage.prompt_tokens} prompt tokens (${usage.prompt_tokens_details.cached_tokens} cached), ${usage.completion_tokens} new${ran}`;
}

async function answer(message, stop) {
  const key = $('tenant-key').value.trim();
  const headers = { 'content-type': 'application/json' };
  if (key) headers.authorization = `Bearer ${key}`;
  talk.push({ role: 'user', content: message });
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers,
    signal: stop.signal,
    body: JSON.stringify({
      model: last.workers[0]?.model, messages: talk, stream: true, stream_options: { include_usage: true },
      session_id: session, kv: { policy: $('policy').value },
    }),
  });
  if (!response.ok) throw new Error(await messageOf(response));
  const box = bubble('assistant', '');
  let text = '';
  for await (const event of eventsOf(response)) {
    if (event.data === '[DONE]') break;
    const chunk = JSON.parse(event.data);
    if (chunk.error) throw new Error(chunk.error.message);
    const more = chunk.choices[0]?.delta?.content;
    if (more) {
      text += more;
      box.textContent = text;
    }
    if (chunk.usage) box.append(cell('div', factsOf(chunk.usage), 'facts'));
    $('log').scrollTop = $('log').scrollHeight;
  }
  talk.push({ role: 'assistant', content: text });
}

$('chat-form').addEventListener('submit', async event => {
  event.preventDefault();
  const message = $('message').value.trim();
  if (!message || answering || !last) return;
  const mine = answering = new AbortController();
  $('send').disabled = true;
  $('stop').disabled = false;
  $('message').value = '';
  bubble('user', message);
  try {
    await answer(message, mine);
  } catch (problem) {
    if (!mine.signal.aborted) bubble('trouble', problem.message);
  } finally {
    answering = null;
    $('send').disabled = false;
    $('stop').disabled = true;
  }
});

$('message').addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $('chat-form').requestSubmit();
  }
});
$('stop').addEventListener('click', () => answering?.abort());
$('fresh').addEventListener('click', fresh);

// ---- the frame

$('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const dark = root.classList.contains('dark') || (!root.classList.contains('light') && matchMedia('(prefers-color-scheme: dark)').matches);
  root.className = dark ? 'light' : 'dark';
  localStorage.setItem('theme', root.className);
});
document.documentElement.className = ['dark', 'light'].find(theme => theme === localStorage.getItem('theme')) ?? '';

$('gate-form').addEventListener('submit', event => {
  event.preventDefault();
  say('gate-note', '');
  connect($('key').value.trim());
  $('key').value = '';
});

new ResizeObserver(draw).observe($('chart'));
fresh();
const known = sessionStorage.getItem('operator-key');
if (known) connect(known);
