package profile

import (
	"github.com/hashicorp/hcl/v2"
)

// validate returns every error of the body that needs no host to be seen.
func (b *body) validate() error {
	var c checker
	c.command(b)
	c.environment(b)
	for _, p := range b.Caches {
		c.path(b.CachesAt, p)
	}
	for _, m := range b.Mounts {
		c.mount(m)
	}
	for _, t := range b.Tmpfs {
		c.path(t.PathAt, t.Path)
		if t.Size != nil {
			if _, err := parseSize(*t.Size); err != nil {
				c.errs.Add(t.SizeAt, "%v", err)
			}
		}
	}
	c.access(b.Project.AccessAt, b.Project.Access)
	if c.errs == nil {
		return nil
	}
	return c.errs
}

func (c *checker) command(b *body) {
	if b.Command != nil && len(b.Command) == 0 {
		c.errs.Add(b.CommandAt, "an empty command runs nothing: name the program, or leave the argument out")
	}
	for i, word := range b.Command {
		if hasNUL(word) || i == 0 && word == "" {
			c.errs.Add(b.CommandAt, "command[%d] is no word that a program can be started with", i)
		}
	}
	if b.Hostname != nil && !validHostname(*b.Hostname) {
		c.errs.Add(b.HostnameAt, "write a host name of letters, digits, dots and hyphens, at most 64")
	}
}

// validHostname follows hostname(7); 64 is HOST_NAME_MAX.
func validHostname(s string) bool {
	for _, r := range s {
		if r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func (c *checker) environment(b *body) {
	lists := []struct {
		names []string
		at    hcl.Range
	}{{b.Env, b.EnvAt}, {b.EnvFiles, b.EnvFilesAt}}
	for _, list := range lists {
		for i, name := range list.names {
			if !validName(name) {
				c.errs.Add(list.at, "element %d is no variable's name: write letters, digits and _", i)
			}
		}
	}
	for name, value := range b.SetEnv {
		if !validName(name) || hasNUL(value) {
			c.errs.Add(b.SetEnvAt, "a variable's name is letters, digits and _, and its value has no NUL")
		}
	}
}

func (c *checker) mount(m mountBlock) {
	c.path(m.PathAt, m.Path)
	if m.At != nil {
		c.path(m.AtAt, *m.At)
	}
	c.access(m.AccessAt, m.Access)
	if m.Create && m.Optional {
		c.errs.Add(m.CreateAt, "create and optional contradict each other: keep one")
	}
	if m.Create && !inHome(m.Path) {
		c.errs.Add(m.CreateAt, "only directories below ~/ are created: make this one yourself")
	}
}

func (c *checker) path(at hcl.Range, p string) {
	if err := checkPath(p); err != nil {
		c.errs.Add(at, "%v", err)
	}
}

func (c *checker) access(at hcl.Range, access string) {
	if bindOption[access] == "" {
		c.errs.Add(at, "unknown access: write \"ro\" or \"rw\"")
	}
}
