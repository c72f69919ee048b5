package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// Config is what `ocjail config show` prints: what holds after all layers, and
// who said so.
type Config struct {
	Version  int             `json:"version"` // 1
	Files    []ConfigFile    `json:"files"`   // most trusted first
	Settings []ConfigValue   `json:"settings"`
	Rules    []ConfigRule    `json:"rules"`  // those that differ from what they declare
	Params   []ConfigParam   `json:"params"` // that rules are told by a file
	Watches  []ConfigValue   `json:"watches"`
	Protect  []ConfigValue   `json:"protect"` // beside ocjail's own list, if settings.protect says so
	Review   []ConfigValue   `json:"review"`
	Policies []ConfigValue   `json:"policies"`
	Waivers  []ConfigWaiver  `json:"waivers"`
	Ignored  []ConfigIgnored `json:"ignored"`
}

// ConfigFile is one that was read.
type ConfigFile struct {
	Layer config.Layer `json:"layer"`
	Name  string       `json:"name"`
}

// ConfigValue is a setting and its place; Layer is embedded for a default.
type ConfigValue struct {
	Name  string       `json:"name"`
	Value string       `json:"value"`
	Layer config.Layer `json:"layer"`
	At    string       `json:"at,omitempty"` // file:line:column
}

// ConfigRule is a rule that a file configures.
type ConfigRule struct {
	ID       string           `json:"id"`
	Severity finding.Severity `json:"severity"`
	Mode     config.Mode      `json:"mode"`
	Waivable bool             `json:"waivable"`
	Layer    config.Layer     `json:"layer"`
	At       string           `json:"at"`
}

// ConfigParam is a parameter of a rule.
type ConfigParam struct {
	Rule  string       `json:"rule"`
	Name  string       `json:"name"`
	Value any          `json:"value"`
	Layer config.Layer `json:"layer"`
	At    string       `json:"at"`
}

// ConfigWaiver is an exception in force.
type ConfigWaiver struct {
	Rule    string       `json:"rule"`
	Subject string       `json:"subject"`
	Reason  string       `json:"reason"`
	Owner   string       `json:"owner"`
	Until   string       `json:"until"` // the last day, YYYY-MM-DD
	Layer   config.Layer `json:"layer"`
	At      string       `json:"at"`
}

// ConfigIgnored is what a file is not trusted with.
type ConfigIgnored struct {
	Layer   config.Layer `json:"layer"`
	At      string       `json:"at"`
	Message string       `json:"message"`
}

// NewConfig tells what holds.
func NewConfig(c *config.Config, rules *checker.Checker) *Config {
	v := &Config{
		Version: 1, Files: []ConfigFile{}, Settings: settingsOf(c), Rules: []ConfigRule{}, Params: []ConfigParam{}, Watches: []ConfigValue{}, Protect: []ConfigValue{},
		Review: []ConfigValue{}, Policies: []ConfigValue{}, Waivers: []ConfigWaiver{}, Ignored: []ConfigIgnored{},
	}
	for _, f := range c.Files {
		if f.None {
			continue
		}
		v.Files = append(v.Files, ConfigFile{f.Layer, f.Name})
		for _, w := range f.Watches {
			v.Watches = append(v.Watches, ConfigValue{w.Path, w.Class, f.Layer, w.Pos.String()})
		}
		for _, p := range f.Review {
			v.Review = append(v.Review, ConfigValue{p.Value, "", f.Layer, p.Pos.String()})
		}
	}
	for _, p := range c.Protect.Paths {
		v.Protect = append(v.Protect, ConfigValue{p.Value, "", layerAt(c, p), p.Pos.String()})
	}
	for _, p := range c.Policies {
		v.Policies = append(v.Policies, ConfigValue{p.Name, policyValue(p), p.Layer, p.Pos.String()})
	}
	for _, r := range rules.Rules() {
		s := rules.Setting(r.ID)
		if s.From != nil {
			v.Rules = append(v.Rules, ConfigRule{r.ID, s.Severity, modeOf(s), s.Waivable, s.From.Layer, s.From.Pos.String()})
		}
		for _, name := range slices.Sorted(maps.Keys(s.ParamsFrom)) {
			from := s.ParamsFrom[name]
			v.Params = append(v.Params, ConfigParam{r.ID, name, s.Params[name], from.Layer, from.Pos.String()})
		}
		for _, w := range s.Waivers {
			v.Waivers = append(v.Waivers, ConfigWaiver{w.Rule, w.Subject, w.Reason, w.Owner, w.LastDay(), w.Layer, w.Pos.String()})
		}
	}
	for _, i := range rules.Ignored() {
		v.Ignored = append(v.Ignored, ConfigIgnored{i.Layer, i.Pos.String(), i.Message})
	}
	return v
}

func policyValue(p config.Policy) string {
	if p.Opened == nil {
		return p.Path
	}
	signed := "no signature demanded"
	if p.Opened.Signer != "" {
		signed = "signed by " + p.Opened.Signer[:16]
	}
	from := p.Path
	if p.Remote != nil {
		from = p.Remote.String()
	}
	if p.Locked != nil {
		signed += ", locked"
	}
	return fmt.Sprintf("%s, revision %s, %s", from, p.Opened.Manifest.Revision, signed)
}

func modeOf(s config.Setting) config.Mode {
	if s.Observe {
		return config.Observe
	}
	return config.Enforce
}

// layerAt finds the layer of the file in which a protected path stands.
func layerAt(c *config.Config, p config.Said[string]) config.Layer {
	for _, f := range c.Files {
		if f.Protect != nil && f.Protect.Pos == p.Pos {
			return f.Layer
		}
	}
	return config.Embedded
}

func settingsOf(c *config.Config) []ConfigValue {
	protect := "ocjail's own list, and what protect names"
	if !c.Protect.Pack {
		protect = "what protect names"
	}
	longest := "any"
	if d := c.LongestWaiver(); d > 0 {
		longest = fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	approval := cmp.Or(string(c.Gate.Approval), "widening for the jails of the devenv module, off for others")
	all := []ConfigValue{
		{Name: "gate.mode", Value: string(c.Gate.Mode)}, {Name: "gate.timeout", Value: c.Gate.Timeout.String()},
		{Name: "gate.review", Value: string(c.Gate.Review)}, {Name: "gate.inform", Value: fmt.Sprint(c.Gate.Inform)}, {Name: "gate.approval", Value: approval},
		{Name: "log.required", Value: fmt.Sprint(c.LogRequired)}, {Name: "longest_waiver", Value: longest}, {Name: "protect", Value: protect},
	}
	for i, s := range all {
		if from, ok := c.From[s.Name]; ok {
			all[i].Layer, all[i].At = from.Layer, from.Pos.String()
		}
	}
	return all
}

// Text writes the configuration for people.
func (v *Config) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	if len(v.Files) == 0 {
		p.line("%s", p.style.paint(bold, "files"))
		p.line("  none: ocjail's own settings hold")
	}
	p.table("files", len(v.Files), func(i int) []string { return []string{v.Files[i].Name, v.Files[i].Layer.String()} })
	p.values("settings", v.Settings)
	p.table("rules", len(v.Rules), func(i int) []string {
		r := v.Rules[i]
		text := string(r.Severity)
		if r.Mode == config.Observe {
			text += ", observed"
		}
		if r.Waivable {
			text += ", waivable"
		}
		return []string{r.ID, text, from(r.Layer, r.At)}
	})
	p.table("parameters", len(v.Params), func(i int) []string {
		r := v.Params[i]
		return []string{r.Rule, r.Name + " = " + param.Text(r.Value), from(r.Layer, r.At)}
	})
	p.values("watch", v.Watches)
	p.values("protect", v.Protect)
	p.values("review", v.Review)
	p.values("policies", v.Policies)
	p.table("waivers", len(v.Waivers), func(i int) []string {
		w := v.Waivers[i]
		return []string{w.Rule, w.Subject, "until " + w.Until, w.Owner + ": " + w.Reason, from(w.Layer, w.At)}
	})
	p.table("ignored", len(v.Ignored), func(i int) []string { return []string{v.Ignored[i].Message} })
	return p.err
}

func from(l config.Layer, at string) string { return strings.TrimSpace(l.String() + " " + at) }

func (p *printer) values(title string, list []ConfigValue) {
	p.table(title, len(list), func(i int) []string {
		return slices.DeleteFunc([]string{list[i].Name, list[i].Value, from(list[i].Layer, list[i].At)}, func(s string) bool { return s == "" })
	})
}

// table writes rows below a title, in columns; nothing when there are none.
func (p *printer) table(title string, rows int, row func(int) []string) {
	if rows == 0 {
		return
	}
	p.line("%s", p.style.paint(bold, title))
	var widths []int
	for i := range rows {
		for c, text := range row(i) {
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], len([]rune(Escape(text))))
		}
	}
	for i := range rows {
		var b strings.Builder
		for c, text := range row(i) {
			b.WriteString("  " + pad(Escape(text), widths[c]))
		}
		p.line("%s", strings.TrimRight(b.String(), " "))
	}
}
