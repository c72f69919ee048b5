'use strict';
// Whether a jail reaches a path of the host, by the rules of Tree.HostAccess in
// checker/sandbox/reach.go, which tests/page compares with these. What only the
// host can tell is left out: whether a path exists is asked twice, symbolic links
// are followed as far as the page has them, and one directory under two names is
// known from the mount table, not from its inode.

const rank = { none: 0, proc: 1, scratch: 1, ro: 2, rw: 3, dev: 4 };
const writes = (access) => access === 'rw' || access === 'dev';

// below returns what is left of p after dir, null when p is not in it.
function below(dir, p) {
  if (dir === '/') return p === '/' ? '' : p.startsWith('/') ? p : null;
  if (!p.startsWith(dir)) return null;
  const rest = p.slice(dir.length);
  return rest === '' || rest[0] === '/' ? rest : null;
}

const join = (dir, rest) => (rest === '' ? dir : dir === '/' ? rest : dir + rest);

function parentOf(p) {
  const i = p.lastIndexOf('/');
  return i > 0 ? p.slice(0, i) : '/';
}

// A Reacher answers for one jail: grants are its mounts of host files, host is the
// host's mount table, links are symbolic links by their path.
class Reacher {
  constructor({ grants, host, links }) {
    this.links = new Map(Object.entries(links));
    this.byID = new Map(host.map((m) => [m.id, m]));
    this.root = host.find((m) => m.root_of_all) ?? null;
    this.mountedOn = Map.groupBy(host.filter((m) => m !== this.root), (m) => m.parent);
    this.at = Map.groupBy(grants, (g) => g.device + ' ' + g.place);
    this.grants = grants;
    for (const g of grants) g.insides = new Set(g.inner);
  }

  // covering returns the host's mount that p lies on.
  covering(p) {
    for (let at = this.root; at; ) {
      let best = null;
      for (const c of this.mountedOn.get(at.id) ?? []) {
        if (below(c.point, p) !== null && (!best || c.point.length < best.point.length)) best = c;
      }
      if (!best) return at;
      at = best;
    }
    return null;
  }

  // spot is where p is in the file system of the host's mount on.
  spot(p, on) {
    if (!on) return { device: '', path: p };
    return { device: on.device, path: join(on.root, below(on.point, p) ?? '') };
  }

  // reaching yields every grant that shows p of the host's mount on, or a directory above it there.
  *reaching(p, on) {
    const whole = this.spot(p, on);
    for (let path = whole.path; ; path = parentOf(path)) {
      for (const g of this.at.get(whole.device + ' ' + path) ?? []) yield [g, below(path, whole.path)];
      if (path === '/') return;
    }
  }

  // hostAccess returns every way to the canonical path h, widest first.
  hostAccess(h, exists) {
    const ways = [];
    const add = (w) => {
      if (w && !ways.some((o) => o.grant.mount === w.grant.mount && o.inside === w.inside)) ways.push(w);
    };
    let on = this.covering(h);
    for (const [g, rel] of this.reaching(h, on)) add(this.through(g, rel, h, exists, on));
    for (let above = this.above(on); above; on = above, above = this.above(above)) {
      const tail = below(on.point, h) ?? '';
      for (const [g, rel] of this.reaching(on.point, above)) add(this.aroundMount(g, rel, tail, above));
    }
    if (exists) ways.push(...this.parts(h));
    return ways.sort((a, b) => rank[b.access] - rank[a.access]);
  }

  above(on) {
    return !on || on === this.root ? null : this.byID.get(on.parent) ?? null;
  }

  through(g, rel, h, exists, on) {
    const w = { access: g.access, how: join(g.source, rel) === h ? 'mount' : 'alias', inside: join(g.point, rel), grant: g };
    if (g.overlay) {
      if (!exists) w.how = 'create';
      return exists || writes(w.access) ? w : null;
    }
    if (g.hidden) {
      w.how = 'rename';
      return exists || writes(w.access) ? w : null;
    }
    const depth = this.firstMountPoint(g, rel);
    if (depth > 0) {
      w.how = 'rename';
      return writes(w.access) && this.moves(g, rel, depth - 1, on) ? w : null;
    }
    if (!exists) {
      w.how = 'create';
      return writes(w.access) ? w : null;
    }
    return w;
  }

  // aroundMount: whoever moves a directory above a mount point of the host away can
  // make what lies behind it anew.
  aroundMount(g, rel, tail, on) {
    const depth = this.firstMountPoint(g, rel) || rel.split('/').length;
    if (g.overlay || !writes(g.access) || !this.moves(g, rel, depth - 1, on)) return null;
    return { access: g.access, how: 'rename', inside: join(g.point, rel + tail), grant: g };
  }

  // moves tells whether renaming one of the first n directories of rel moves what
  // the host sees through its mount on.
  moves(g, rel, n, on) {
    if (n < 1) return false;
    const last = rel.split('/').slice(0, n + 1).join('/');
    return Boolean(below(on ? on.root : '/', join(g.place, last)));
  }

  // firstMountPoint tells how many components below g the jail mounts something on
  // the way to rel, 0 for nowhere.
  firstMountPoint(g, rel) {
    const parts = rel.split('/').slice(1);
    for (let n = 1; n <= parts.length; n++) {
      if (g.insides.has('/' + parts.slice(0, n).join('/'))) return n;
    }
    return 0;
  }

  // parts are the mounts that show something below h.
  parts(h) {
    const at = this.spot(h, this.covering(h));
    const ways = [];
    for (const g of this.grants) {
      for (let p = g.source; p !== '/'; ) {
        p = parentOf(p);
        const s = this.spot(p, this.covering(p));
        if (s.device === at.device && s.path === at.path) ways.push({ access: g.mount_access, how: 'below', inside: g.point, grant: g });
      }
    }
    return ways;
  }

  // follow resolves p, absolute, as far as the page knows the host's links.
  follow(p) {
    let at = '/';
    let rest = p.split('/');
    const links = [];
    while (rest.length) {
      const name = rest.shift();
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = parentOf(at);
        continue;
      }
      const next = join(at, '/' + name);
      const target = this.links.get(next);
      if (target === undefined) {
        at = next;
        continue;
      }
      links.push(next);
      if (links.length > 40) return null; // MAXSYMLINKS, path_resolution(7)
      if (target.startsWith('/')) at = '/';
      rest = target.split('/').concat(rest);
    }
    return { path: at, links };
  }

  // why returns the ways to p, absolute, and where it leads.
  why(p, exists) {
    const real = this.follow(p);
    if (!real) return { real: p, ways: [] };
    const ways = this.hostAccess(real.path, exists).map((w) => ({ ...w, path: real.path }));
    for (const link of real.links) {
      const w = this.hostAccess(link, true)[0];
      if (w && writes(w.access) && w.how !== 'below') ways.push({ ...w, how: 'link', path: link });
    }
    return { real: real.path, ways };
  }
}
