// Package config reads ocjail.hcl: the severities of rules, the paths to watch
// and to protect, and how the gate behaves.
package config

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Config is one ocjail.hcl. It can loosen the checks, so load it only from
// where the jailed program can't write: a project's own file is not such a place.
type Config struct {
	File    string // as it was named; "" for Default
	Rules   []Rule // one for each id, in the file's order
	Watches []Watch
	// Protect replaces the default list of paths that are read-only while the
	// agent runs: clean, relative to the project's root. Nil keeps the default;
	// empty but not nil switches protection off.
	Protect []string
	Gate    Gate
}

// Rule changes one rule of the pack.
type Rule struct {
	ID       string // "category/kebab-name"; whether it exists is CheckRules' to say
	Severity finding.Severity
	Pos      hclfile.Pos // of the block
}

// Watch is a path that matters, beside those of the pack.
type Watch struct {
	// Path is a template as in the pack's list: below "{home}/", "{project}/"
	// or "/". The file's "~/" is written "{home}/" here.
	Path   string
	Class  string // one of Classes
	Reason string // one clause; never empty
	Pos    hclfile.Pos
}

// Gate is how the launch gate behaves.
type Gate struct {
	Mode    Mode
	Timeout time.Duration // for all rules together
}

// Mode is what the gate does with a denied launch.
type Mode string

// Enforce refuses a denied launch; Observe reports it and launches.
const (
	Enforce Mode = "enforce"
	Observe Mode = "observe"
)

// DefaultTimeout bounds the evaluation of the rules, MaxTimeout what a file may ask for.
const (
	DefaultTimeout = 2 * time.Second
	MaxTimeout     = time.Minute
)

// Default is the configuration without a file: the pack's severities and
// lists, enforced.
func Default() *Config {
	return &Config{Gate: Gate{Mode: Enforce, Timeout: DefaultTimeout}}
}

// Load reads file, which must be regular, at most 1 MiB, owned by the user or
// root, and writable by its owner only. An absent file's error matches
// fs.ErrNotExist; an error in its text is an hclfile.Diagnostics.
func Load(file string) (*Config, error) {
	src, info, err := hclfile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := checkOwner(file, info, os.Getuid()); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return parse(file, src)
}

// checkOwner keeps others' hands off a file that can switch rules off.
func checkOwner(file string, info os.FileInfo, uid int) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("the owner of %s is unknown: keep it on a local file system", hclfile.Escape(file))
	}
	if stat.Uid != 0 && int(stat.Uid) != uid {
		return fmt.Errorf("%s belongs to user %d, who could switch rules off: make it yours or root's with chown",
			hclfile.Escape(file), stat.Uid)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%s can be written by others (mode %04o): run chmod go-w on it", hclfile.Escape(file), mode)
	}
	return nil
}

// CheckRules reports every configured rule that is not among known, for a
// misspelt id would silently keep the pack's severity. The error is an
// hclfile.Diagnostics.
func (c *Config) CheckRules(known []string) error {
	exists := make(map[string]bool, len(known))
	for _, id := range known {
		exists[id] = true
	}
	var ds hclfile.Diagnostics
	for _, r := range c.Rules {
		if !exists[r.ID] {
			ds = append(ds, hclfile.Diagnostic{Pos: r.Pos,
				Message: "there is no rule of this id" + hclfile.DidYouMean(r.ID, known)})
		}
	}
	if ds == nil {
		return nil
	}
	return ds
}
