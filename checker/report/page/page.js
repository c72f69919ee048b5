// The page's own part: it draws what `ocjail inspect` found. All text goes into the
// document as text, never as markup.

const data = JSON.parse(document.getElementById('data').textContent);
const view = data.view;
const reacher = new Reacher(data);
const byID = (id) => document.getElementById(id);

// el makes an element; children are strings or nodes.
function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (value !== null) e.setAttribute(name, value);
  }
  e.append(...children.filter((c) => c !== null));
  return e;
}

// printable shows characters that would hide or reorder text (CVE-2021-42574), and as \xff
// a byte that is none of UTF-8, which stands in the data as NUL and two digits.
const printable = (text) => text.replace(/\0([0-9a-f]{2})/g, '\\x$1').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => '\\u{' + c.codePointAt(0).toString(16) + '}');

// octets is text as somebody types it who read it here: \xff is a byte where the data has it.
const octets = (text) => text.replace(/\\x([0-9a-f]{2})/g, (typed, digits) => (document.getElementById('data').textContent.includes('\\u0000' + digits) ? '\0' + digits : typed));

// short writes a host path from the project or the home.
function short(p) {
  for (const [dir, sign] of [[view.project, '.'], [view.home, '~']]) {
    const rest = dir && dir !== '/' ? below(dir, p) : null;
    if (rest !== null) return printable(sign + rest);
  }
  return printable(p);
}

const path = (p, text) => el('span', { class: 'path', title: printable(p) }, text ?? printable(p));
const badge = (access) => el('span', { class: 'access ' + access }, access);
const plural = (n, noun) => n + ' ' + noun + (n === 1 ? '' : 's');

function facts(rows) {
  const list = el('dl', { class: 'facts' });
  for (const [name, value] of rows) {
    if (value) list.append(el('dt', null, name), el('dd', null, value));
  }
  return list;
}

const added = (cause) => (cause.added ? 'added by ocjail: ' + printable(cause.added) : null);
const origin = (cause) => [cause.option, cause.origin ? 'from ' + printable(cause.origin) : ''].filter(Boolean).join(' ') || 'bwrap itself';

// The head.

function head() {
  document.title = 'ocjail: ' + printable(view.name);
  byID('name').append('Jail ', printable(view.name));
  const count = (severity) => data.findings.filter((f) => f.severity === severity && !f.status).length;
  const denied = data.verdict === 'deny';
  const counts = ['error', 'warning', 'info'].map((s) => plural(count(s), s)).join(', ') + ' by ' + plural(data.rules, 'rule') + '. ';
  const command = (words) => words.map(printable).join(' ');
  const runs = view.absent
    ? 'Is to run ' + command(view.absent.command) + ', which does not start here: ' + printable(view.absent.why) + ' (' + command(view.command) + ' stands in for it)'
    : 'Runs ' + command(view.command);
  const where = runs + '. In this page . is ' + printable(view.project) + ' and ~ is ' + printable(view.home) + '.';
  byID('summary').append(el('strong', { class: denied ? 'rw' : 'ro' }, denied ? 'Refused' : 'Allowed'), ': ' + counts + where);
  if (!view.certain) byID('summary').append(' This host lacks something that the jail names, so part of this is a guess.');
  byID('foot').append('Made by ocjail ' + data.release + '. The page loads nothing and sends nothing. Keys: / asks, arrows move between mounts, Escape clears.');
}

// The question.

const canText = { rw: 'can read and write', dev: 'can read and write', ro: 'can read', scratch: 'can write its own' };
const howText = {
  mount: 'through a mount', create: 'absent, can be created', rename: 'by renaming a directory above it',
  alias: 'through another name of the same directory', below: 'in part, by what lies below it', link: 'by replacing a symbolic link on the way',
};

function absolute(words) {
  if (words === '~' || words.startsWith('~/')) return view.home + words.slice(1);
  return words.startsWith('/') ? words : join(view.project, '/' + words);
}

function verdict(p, there, made) {
  const best = there.ways[0];
  const leads = there.real === p ? '' : ' (which is ' + printable(there.real) + ')';
  if (!best) return 'The jail can not reach ' + printable(p) + leads + ', nor make it.';
  const can = best.how === 'link' ? 'can redirect' : best.how === 'below' ? 'can reach part of' : canText[best.access];
  const create = made.ways.some((w) => w.how !== 'link') ? ', and make it if it does not exist' : '';
  return 'The jail ' + can + ' ' + printable(p) + leads + create + '.';
}

function wayItem(w) {
  return el('div', { class: 'way' }, badge(w.access), howText[w.how],
    facts([['inside', printable(w.inside)], ['shows', printable(w.grant.source)], ['option', origin(w.grant.cause)], ['', added(w.grant.cause)],
      ['link', w.how === 'link' ? printable(w.path) : null], ['close', printable(w.grant.close)]]));
}

function answer() {
  const box = byID('answer');
  const words = byID('q').value.trim();
  box.replaceChildren();
  box.className = '';
  if (words === '' || words.startsWith('~') && !/^~(\/|$)/.test(words)) return;
  const p = absolute(octets(words));
  const there = reacher.why(p, true);
  const made = reacher.why(p, false);
  const plain = there.real.length > 1 ? p.replace(/\/+$/, '') : p;
  box.append(el('h3', null, verdict(plain, there, made)));
  box.classList.add(there.ways.length ? 'edge-' + there.ways[0].access : 'none');
  const most = 8;
  box.append(...there.ways.slice(0, most).map(wayItem));
  if (there.ways.length > most) box.append(el('p', null, 'and ' + plural(there.ways.length - most, 'more way') + '.'));
  box.append(el('p', { class: 'soft' }, 'As far as the page knows the host: ocjail why asks it, and follows its links.'));
  choose(there.ways.length ? there.ways[0].grant.mount : null, false);
}

// The map: host on the left, jail on the right.

const mountButtons = new Map(); // by the number of a mount
const sourceButtons = new Map(); // by source
const edges = [];
let chosen = null;

// group sorts mounts: what is written first, the devices of --dev last.
function group(m) {
  if (m.cause.option === '--dev') return 5;
  return { rw: 0, dev: 0, scratch: 1, ro: 2, proc: 4 }[m.access] + (m.cause.added ? 0.5 : 0);
}

function mapOf() {
  const names = { rw: 'writes reach the host', dev: 'so, with device files', ro: 'reads the host, or is read-only', scratch: 'writable, gone afterwards', proc: "the kernel's" };
  for (const [access, text] of Object.entries(names)) {
    if (view.mounts.some((m) => m.access === access)) byID('legend').append(el('li', null, badge(access), text));
  }
  const order = view.mounts.map((m, i) => i).sort((a, b) => group(view.mounts[a]) - group(view.mounts[b]) || a - b);
  for (const i of order) byID('mounts').append(el('li', null, mountButton(view.mounts[i], i)));
  const sources = new Set(order.map((i) => view.mounts[i].source).filter(Boolean));
  for (const s of sources) {
    const b = el('button', { type: 'button', onclick: () => choose(view.mounts.findIndex((m) => m.source === s), true) }, path(s, short(s)));
    sourceButtons.set(s, b);
    byID('sources').append(el('li', null, b));
  }
  const folded = [];
  if (view.links.length) folded.push(plural(view.links.length, 'symbolic link') + ' made');
  if (view.hidden) folded.push(plural(view.hidden, 'mount') + ' hidden by later ones');
  byID('folded').append(folded.join('; '));
}

function mountButton(m, i) {
  const from = m.source && m.source !== m.path ? 'is ' + short(m.source) : m.source ? '' : m.kind;
  const b = el('button', { type: 'button', class: m.cause.added ? 'added' : '', onclick: () => choose(i, true) },
    badge(m.access), path(m.path, short(m.path)), from ? el('span', { class: 'from' }, from) : null);
  mountButtons.set(i, b);
  return b;
}

// choose shows one mount, by its number; null for none.
function choose(i, detail) {
  chosen = i;
  for (const b of [...mountButtons.values(), ...sourceButtons.values()]) {
    b.classList.remove('on');
    b.removeAttribute('aria-current');
  }
  edges.forEach((e) => e.line.classList.toggle('on', e.mount === i));
  const m = view.mounts[i];
  byID('detail').replaceChildren();
  byID('detail').className = '';
  if (!m) return;
  for (const b of [mountButtons.get(i), sourceButtons.get(m.source)]) {
    b?.classList.add('on');
    b?.setAttribute('aria-current', 'true');
  }
  if (!detail) return;
  byID('detail').className = 'edge-' + m.access;
  byID('detail').append(el('h3', null, badge(m.access), printable(m.path)),
    facts([['shows', m.source ? printable(m.source) + ' of the host' : m.kind], ['type', m.type], ['option', origin(m.cause)], ['', added(m.cause)],
      ['with', m.implied ? 'comes with another mount' : null], ['close', printable(data.closes[i])]]));
}

function drawLines() {
  const svg = byID('lines');
  svg.replaceChildren();
  edges.length = 0;
  const frame = svg.getBoundingClientRect();
  if (frame.width === 0) return; // not shown when narrow
  view.mounts.forEach((m, i) => {
    const a = sourceButtons.get(m.source)?.getBoundingClientRect();
    const b = mountButtons.get(i).getBoundingClientRect();
    if (!a) return;
    const [x1, y1, x2, y2] = [a.right - frame.left, (a.top + a.bottom) / 2 - frame.top, b.left - frame.left, (b.top + b.bottom) / 2 - frame.top];
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    line.setAttribute('class', m.access + (i === chosen ? ' on' : ''));
    line.setAttribute('d', `M${x1},${y1} C${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2} ${x2},${y2}`);
    svg.append(line);
    edges.push({ mount: i, line });
  });
}

// The lists.

function findings() {
  const open = [...data.findings];
  if (!open.length) byID('findings').append(el('li', null, 'No rule found anything.'));
  for (const f of open) {
    byID('findings').append(el('li', { class: 'edge-' + f.severity }, el('strong', null, (f.status ? f.status + ' ' : '') + f.severity + ' ' + f.rule), ': ' + printable(f.message),
      facts([['subject', printable(f.subject.path || f.subject.name || f.subject.kind)], ['from', f.from ? printable(f.from) : null],
        ['because', f.because ? printable(f.because) : null], ['remedy', f.remedy ? printable(f.remedy) : null]])));
  }
}

function watched() {
  const groups = Map.groupBy(view.watched, (w) => w.access + ', ' + w.class);
  if (!groups.size) byID('watched').append('Nothing.');
  for (const [name, list] of groups) {
    const rows = list.map((w) => el('tr', null, el('td', null, path(w.path, short(w.path))), el('td', null, howText[w.how]), el('td', { class: 'optional' }, printable(w.reason))));
    const table = el('table', null, el('thead', null, el('tr', null, el('th', null, 'path'), el('th', null, 'how'), el('th', { class: 'optional' }, 'why it matters'))), el('tbody', null, ...rows));
    byID('watched').append(el('details', null, el('summary', null, badge(list[0].access), list[0].class + ' (' + list.length + ')'), table));
  }
}

function settings() {
  const put = (name, ...values) => byID('settings').append(el('dt', null, name), el('dd', null, ...values.flatMap((v, i) => (i ? [el('br'), v] : [v]))));
  const env = view.environment;
  const variable = (v) => printable(v.name) + (v.value === undefined ? '' : '=' + printable(v.value)) + (v.origin ? ' (' + printable(v.origin) + ')' : '');
  put('environment', (env.cleared ? 'cleared, then ' : 'inherited: ') + plural(env.variables.length, 'variable'), ...env.variables.map(variable));
  for (const line of data.settings) put(line.name, printable(line.text));
  if (!view.sockets.length) put('sockets', 'none of the known ones');
  else put('sockets', ...view.sockets.map((s) => short(s.path) + ' as ' + printable(s.inside) + ' by ' + origin(s.cause)));
}

// Keys.

function step(from, down) {
  const list = [...from.closest('ol').querySelectorAll('button')];
  return list[list.indexOf(from) + (down ? 1 : -1)];
}

function across(from) {
  for (const [i, b] of mountButtons) {
    if (b === from) return sourceButtons.get(view.mounts[i].source);
  }
  for (const [s, b] of sourceButtons) {
    if (b === from) return mountButtons.get(view.mounts.findIndex((m) => m.source === s));
  }
  return null;
}

function keys(event) {
  const at = document.activeElement;
  if (event.key === '/' && at !== byID('q') && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byID('q').focus();
  } else if (event.key === 'Escape') {
    byID('q').value = '';
    answer();
    choose(null, false);
  } else if (at.closest?.('.side') && event.key.startsWith('Arrow')) {
    const next = event.key === 'ArrowDown' || event.key === 'ArrowUp' ? step(at, event.key === 'ArrowDown') : across(at);
    if (next && next.offsetParent) {
      event.preventDefault();
      next.focus();
    }
  }
}

// The address may hold a question: page.html#/etc/passwd.
function fromAddress() {
  let asked = location.hash.slice(1);
  try {
    asked = decodeURIComponent(asked);
  } catch {
    // as it stands
  }
  if (asked) {
    byID('q').value = asked;
    answer();
  }
}

head();
mapOf();
findings();
watched();
settings();
byID('q').addEventListener('input', answer);
document.addEventListener('keydown', keys);
window.addEventListener('hashchange', fromAddress);
new ResizeObserver(drawLines).observe(byID('map'));
drawLines();
fromAddress();
