package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// moduleRule is a rule in Rego that finds nothing, of a name of its own.
const moduleRule = `# METADATA
# title: The jail has a mount of that name
# custom:
#   severity: error
#   remedy: drop it
package ocjail.rules.bench.mount_%[1]d

findings contains {"message": sprintf("%%s is mounted", [m.dest]), "subject": {"kind": "mount", "index": i}} if {
	some i, m in input.jail.mounts
	startswith(m.dest, "/never-%[1]d/")
}
`

// modules times launches with rules in WebAssembly, in the jail of these options.
// They lie outside of the project, and so does what is kept of them.
func (b *benchmark) modules(options []string) (err error) {
	dir, err := os.MkdirTemp("", "ocjail-bench-rules-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cache := filepath.Join(dir, "cache")
	if err := os.Setenv("XDG_CACHE_HOME", cache); err != nil {
		return err
	}
	one, err := b.buildModules(dir, 1)
	if err != nil {
		return err
	}
	ten, err := b.buildModules(dir, 10)
	if err != nil {
		return err
	}
	fmt.Print("\n| modules of a user's | command begins: none, with ms | over none | ratio | CPU: none, with ms | over none |\n|---|---|---|---|---|---|\n")
	for _, v := range []*variant{
		{name: "1, verdict kept", command: b.gate(options, "--config", one)},
		{name: "1, native code kept", command: b.gate(options, "--config", one), before: forget(cache, "verdict")},
		{name: "1, nothing kept", command: b.gate(options, "--config", one), before: forget(cache, "")},
		{name: "10, verdict kept", command: b.gate(options, "--config", ten)},
		{name: "10, native code kept", command: b.gate(options, "--config", ten), before: forget(cache, "verdict")},
		{name: "10, nothing kept", command: b.gate(options, "--config", ten), before: forget(cache, "")},
	} {
		if err := b.overNone(v, options); err != nil {
			return err
		}
	}
	return nil
}

// overNone times a variant against the same jail without further rules, and prints a row.
func (b *benchmark) overNone(v *variant, options []string) error {
	none := &variant{name: "none", command: b.gate(options)}
	if err := measure(b.world, b.rounds, []*variant{none, v}); err != nil {
		return err
	}
	over, ratio := v.over(none)
	cpu, more := median(none.cpu), median(v.cpu)
	_, err := fmt.Printf("| %s | %s, %s | %s | %.2f | %s, %s | %s |\n", v.name, ms(median(none.started)), ms(median(v.started)), ms(over), ratio, ms(cpu), ms(more), ms(more-cpu))
	return err
}

// buildModules makes a policy of that many modules, and returns the configuration
// that names it.
func (b *benchmark) buildModules(dir string, count int) (config string, err error) {
	rules := filepath.Join(dir, fmt.Sprintf("rules-%d", count))
	if err := os.Mkdir(rules, 0o700); err != nil {
		return "", err
	}
	for n := range count {
		source := filepath.Join(dir, "rule.rego")
		if err := os.WriteFile(source, fmt.Appendf(nil, moduleRule, n), 0o600); err != nil {
			return "", err
		}
		c := exec.Command(b.ocjail, "build", source, "-o", filepath.Join(rules, fmt.Sprintf("mount-%d.wasm", n)))
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build a module: %w\n%s", err, out)
		}
	}
	config = rules + ".hcl"
	return config, os.WriteFile(config, fmt.Appendf(nil, "policy \"bench\" {\n  source = %q\n}\n", rules), 0o600)
}

// forget removes what is kept of a kind, and with "" all of it.
func forget(cache, kind string) func() error {
	return func() error {
		dir := filepath.Join(cache, "ocjail", "rules")
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), kind) {
				err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
			}
		}
		return err
	}
}
