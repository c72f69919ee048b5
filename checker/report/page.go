package report

import (
	"crypto/sha256"
	_ "embed" // for the page's parts
	"encoding/base64"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
	"github.com/refnil/opencode-jail-devenv/checker/release"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// The page's parts. They stay text until a page is written: a template engine costs
// every start of ocjail, and the page needs none, for its script fills it in.
var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/reach.js
	reachJS string
	//go:embed page/page.js
	pageJS string
)

// Page is a jail with its verdict, as one HTML document that loads nothing: what
// `ocjail inspect --html` writes.
type Page struct {
	Release  string        `json:"release"` // of ocjail
	View     *View         `json:"view"`
	Verdict  string        `json:"verdict"` // "allow" or "deny"
	Rules    int           `json:"rules"`   // that judged
	Findings []PageFinding `json:"findings"`
	Settings []Hardening   `json:"settings"` // what is not about files, for people
	Closes   []string      `json:"closes"`   // by View.Mounts: what would close each
	// Grants, Host and Links are what the page answers from for any path.
	Grants []PageGrant       `json:"grants"`
	Host   []PageMount       `json:"host"`
	Links  map[string]string `json:"links"` // targets of the host's symbolic links, as far as they were met
}

// PageFinding is a finding with its origin in words.
type PageFinding struct {
	finding.Finding
	From string `json:"from"`
}

// PageGrant is sandbox.Shown for the page's script.
type PageGrant struct {
	// Mount is the position in View.Mounts, negative for one that is not there.
	Mount       int            `json:"mount"`
	Point       string         `json:"point"`
	Source      string         `json:"source"`
	Device      string         `json:"device"`
	Place       string         `json:"place"`
	Access      sandbox.Access `json:"access"`
	MountAccess sandbox.Access `json:"mount_access"`
	Overlay     bool           `json:"overlay"`
	Hidden      bool           `json:"hidden"`
	Inner       []string       `json:"inner"`
	Cause       Cause          `json:"cause"`
	Close       string         `json:"close"`
}

// PageMount is a mount of the host.
type PageMount struct {
	ID     int    `json:"id"`
	Parent int    `json:"parent"`
	Point  string `json:"point"`
	Device string `json:"device"`
	Root   string `json:"root"`
	Top    bool   `json:"root_of_all"`
}

// NewPage describes the jail of r.
func NewPage(r *checker.Report) (*Page, error) {
	j := r.Jail
	v, err := NewView(j)
	if err != nil {
		return nil, err
	}
	p := &Page{
		Release: release.Version, View: v, Verdict: "allow", Rules: r.Rules, Settings: v.settingsList(), Findings: []PageFinding{},
		Closes: []string{}, Grants: []PageGrant{}, Host: []PageMount{}, Links: hostLinks(j),
	}
	if r.Denied() {
		p.Verdict = "deny"
	}
	for _, f := range r.Findings {
		p.Findings = append(p.Findings, PageFinding{f, f.Origin.String()})
	}
	for _, m := range v.Mounts {
		p.Closes = append(p.Closes, closes(j, m.option))
	}
	p.grants(j)
	for _, m := range j.FS.Mounts() {
		root := m.Root
		if root == "" {
			root = "/"
		}
		top := j.Tree.HostRoot() != nil && j.Tree.HostRoot().ID == m.ID
		p.Host = append(p.Host, PageMount{m.ID, m.Parent, m.Point, m.Device(), root, top})
	}
	return p, nil
}

func (p *Page) grants(j *checker.Jail) {
	hidden := map[*sandbox.Mount]int{}
	for _, s := range j.Tree.Shown() {
		at := slices.IndexFunc(p.View.Mounts, func(m Mount) bool { return m.of == s.Mount })
		if at < 0 {
			if _, ok := hidden[s.Mount]; !ok {
				hidden[s.Mount] = -1 - len(hidden)
			}
			at = hidden[s.Mount]
		}
		p.Grants = append(p.Grants, PageGrant{
			Mount: at, Point: s.Point, Source: s.Source, Device: s.Device, Place: s.Place, Access: s.Access, MountAccess: s.Mount.Access(),
			Overlay: s.Overlay, Hidden: s.Hidden, Inner: s.Inner, Cause: cause(j, s.Mount.Option), Close: closes(j, s.Mount.Option),
		})
	}
}

// closes says what would close a mount, "" for bwrap's own.
func closes(j *checker.Jail, option int) string {
	if option < 0 {
		return ""
	}
	o := j.Sandbox.Options[option]
	return dropped(j, o, escapeAll(append([]string{o.Name}, o.Args...)))
}

// hostLinks are the symbolic links on the way to what the jail names, to what is
// watched, and those in the host's root, such as /bin.
func hostLinks(j *checker.Jail) map[string]string {
	links := map[string]string{}
	add := func(p string) {
		real, err := j.FS.RealPath(p)
		if err != nil && len(real.Links) == 0 {
			return // what leads nowhere has no links
		}
		for _, l := range real.Links {
			if st, err := j.FS.Lstat(l.Path); err == nil && st.Type == sandbox.Symlink {
				links[l.Path] = st.Target
			}
		}
	}
	for _, op := range j.Sandbox.Ops() {
		if op.Kind == sandbox.OpBind && path.IsAbs(op.Source) {
			add(op.Source)
		}
	}
	for _, w := range j.Watched {
		add(w.Path)
	}
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib64", "/lib32", "/var/run", "/var/lock", "/home", "/tmp", "/etc/mtab", "/etc/localtime", "/etc/resolv.conf"} {
		add(name)
	}
	return links
}

// Write writes the document, with names that are no UTF-8 as package octets has them.
// Its policy (Content Security Policy, level 3) allows
// the two parts that are in it, known by their digests, and nothing else.
func (p *Page) Write(w io.Writer) error {
	text, err := octets.Marshal(p) // which writes <, > and & as \u003c, …: no text ends the element
	if err != nil {
		return err
	}
	script := reachJS + pageJS
	policy := fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(pageCSS), digest(script))
	// One pass: what a value holds is not looked at again.
	_, err = strings.NewReplacer("{{policy}}", policy, "{{style}}", pageCSS, "{{data}}", string(text), "{{script}}", script).WriteString(w, pageHTML)
	return err
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
