package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/grants"
)

// Difference is what `ocjail diff` prints.
type Difference struct {
	Version int    `json:"version"` // 1
	From    string `json:"from"`    // the targets as they were named
	To      string `json:"to"`
	IsWider bool   `json:"is_wider"`
	grants.Difference
}

// NewDifference describes d, from the target from to the target to.
func NewDifference(from, to string, d grants.Difference) *Difference {
	if d.Narrower == nil {
		d.Narrower = []grants.Item{}
	}
	if d.Wider == nil {
		d.Wider = []grants.Item{}
	}
	return &Difference{Version: 1, From: from, To: to, IsWider: len(d.Wider) > 0, Difference: d}
}

// summary is the difference in one line.
func (d *Difference) summary() string {
	more, less := len(d.Wider), len(d.Narrower)
	switch {
	case more > 0 && less > 0:
		return fmt.Sprintf("%s is wider than %s in %s, and narrower in %d", d.To, d.From, plural(more, "thing"), less)
	case more > 0:
		return fmt.Sprintf("%s is wider than %s in %s", d.To, d.From, plural(more, "thing"))
	case less > 0:
		return fmt.Sprintf("%s is narrower than %s in %s", d.To, d.From, plural(less, "thing"))
	}
	return fmt.Sprintf("%s grants what %s grants", d.To, d.From)
}

// Text writes a line for each item, "+" for what is wider.
func (d *Difference) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.items("+", red, d.Wider)
	p.items("-", green, d.Narrower)
	p.line("%s", strings.Join(wrap(Escape(d.summary()), s.Width), "\n"))
	return p.err
}

// Grants writes what a jail grants as a difference from nothing, each line indented.
func Grants(w io.Writer, s Style, d grants.Difference) error {
	p := &printer{w: w, style: s}
	p.items("  +", red, d.Wider)
	p.items("  -", green, d.Narrower)
	return p.err
}

// items writes lines that a terminal cuts nowhere within a word: it may be a path.
func (p *printer) items(sign, color string, items []grants.Item) {
	for _, i := range items {
		for n, l := range wrap(Grant(i), p.style.Width-len(sign)-1) {
			head := p.style.paint(color, sign)
			if n > 0 {
				head = pad("", len(sign)+1)
			}
			p.line("%s %s", head, l)
		}
	}
}

// Markdown writes d as a comment on a change.
func (d *Difference) Markdown(w io.Writer) error {
	p := &printer{w: w}
	verdict := "not wider"
	if d.IsWider {
		verdict = "**wider**"
	}
	p.line("### What the jail may do: %s\n", verdict)
	var lines []string
	for _, i := range d.Wider {
		lines = append(lines, "+ "+Grant(i))
	}
	for _, i := range d.Narrower {
		lines = append(lines, "- "+Grant(i))
	}
	text := strings.Join(lines, "\n")
	fence := "```"
	for strings.Contains(text, fence) { // a path may try to end it
		fence += "`"
	}
	if text != "" {
		p.line("%sdiff\n%s\n%s\n", fence, text, fence)
	}
	p.line("%s", inMarkdown(d.summary()))
	return p.err
}

// inMarkdown keeps text from being anything but text.
func inMarkdown(text string) string {
	var b strings.Builder
	for _, r := range Escape(text) {
		if strings.ContainsRune("\\`*_[]<>#|!&@~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// grantTexts are the kinds that need no name of their own.
var grantTexts = map[string]string{
	"network":         "network: the host's",
	"processes":       "the host's processes, in /proc",
	"user-namespaces": "user namespaces of its own",
	"terminal":        "the session of the terminal",
}

// Grant is an item in a few words, safe to print.
func Grant(i grants.Item) string {
	name := Escape(i.Name)
	if text, ok := grantTexts[i.Kind]; ok {
		return text
	}
	switch i.Kind {
	case "path":
		return pathText(i, name)
	case "namespace":
		if bare, try := strings.CutSuffix(name, "?"); try {
			return "namespace " + bare + ": the host's, if the kernel can not give it one"
		}
		return "namespace " + name + ": the host's"
	case "environment":
		if name == "*" {
			return "env: all of the caller's"
		}
		return "env " + name
	case "bus":
		return "session bus: " + strings.Replace(name, "all", "everything", 1)
	case "filter":
		return "without the restriction " + name
	case "label":
		return "SELinux: " + name
	case "undecided":
		return "undecided: " + name
	}
	return i.Kind + " " + name
}

func pathText(i grants.Item, name string) string {
	if name == grants.StorePaths {
		return "ro /nix/store: single packages"
	}
	text := i.Access + " " + name
	if i.Socket {
		text += " (a socket)"
	}
	if i.Before != "" && i.Before != i.Access {
		text += " (" + i.Before + " before)"
	}
	return text
}

// Paragraph writes text in lines that fit.
func Paragraph(w io.Writer, s Style, text string) error {
	p := &printer{w: w, style: s}
	for _, l := range wrap(Escape(text), s.Width) {
		p.line("%s", l)
	}
	return p.err
}
