package checker

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// structural returns the findings of these checks.
func (j *Jail) structural() []finding.Finding {
	var found []finding.Finding
	for _, e := range j.Tree.Effects {
		found = append(found, finding.Finding{
			Rule:    ruleEffect,
			Message: fmt.Sprintf("bwrap %s %s on the host before the command starts, through %s %s", e.Kind, e.Path, j.option(e.Option), strings.Join(j.Sandbox.Options[e.Option].Args, " ")),
			Subject: finding.Subject{Kind: "path", Path: e.Path}, Origin: j.origin(j.Sandbox.Options[e.Option].Origin),
			Remedy: effectRemedy(e),
		})
	}
	for _, l := range j.Tree.Links {
		found = append(found, finding.Finding{
			Rule:    ruleSteered,
			Message: fmt.Sprintf("%s %s goes through the symbolic link %s, which lies in a writable mount", j.option(l.Option), lastArg(j.Sandbox.Options[l.Option]), l.Link),
			Subject: finding.Subject{Kind: "path", Path: l.Link}, Origin: j.origin(j.Sandbox.Options[l.Option].Origin),
			Remedy: "name the directory itself as the destination, or replace the link by a directory",
		})
	}
	found = slices.Concat(found, j.root(), j.descriptors(), j.programs(), j.tildes())
	for i := range found {
		r := ownRule(found[i].Rule)
		found[i].Severity, found[i].Title, found[i].URL = r.Severity, r.Title, r.URL
	}
	for _, f := range j.Unreviewed {
		r := ownRule(f.Rule)
		f.Title, f.URL = r.Title, r.URL
		found = append(found, f)
	}
	return found
}

func (j *Jail) option(i int) string { return j.Sandbox.Options[i].Name }

func lastArg(o sandbox.Option) string { return o.Args[len(o.Args)-1] }

func effectRemedy(e sandbox.Effect) string {
	switch e.Kind {
	case sandbox.CreatesDir:
		return "make it yourself beforehand: mkdir -p " + strconv.Quote(e.Path)
	case sandbox.CreatesFile:
		return "bind over a file that exists, or mount its directory as a tmpfs first"
	}
	return "drop the option, or point it outside the writable mount"
}

// root: what root starts must lose its power over the host.
func (j *Jail) root() []finding.Finding {
	if j.Facts.UID != 0 && j.Facts.EUID != 0 {
		return nil
	}
	var found []finding.Finding
	add := func(message, remedy string) {
		found = append(found, finding.Finding{Rule: ruleRoot,
			Message: message, Subject: finding.Subject{Kind: "namespace", Name: "user"}, Remedy: remedy})
	}
	if j.Facts.SudoUID != "" {
		add("ocjail was started through sudo, so the jail would be root's", "run it as yourself, without sudo")
	}
	if j.Sandbox.Namespaces()["user"] == "shared" {
		add("the jail shares the host's user namespace, in which root owns the kernel's settings", "add --unshare-user, or run it as an ordinary user")
	}
	return found
}

// descriptors: namespaces handed in by number can not be looked at.
func (j *Jail) descriptors() []finding.Finding {
	var found []finding.Finding
	for _, o := range j.Sandbox.Options {
		switch o.Name {
		case "--userns", "--userns2", "--pidns", "--userns-block-fd":
			found = append(found, finding.Finding{Rule: ruleJoins,
				Message: o.Name + " joins or awaits a namespace that somebody else made, so what the jail may do can not be told",
				Subject: finding.Subject{Kind: "descriptor", Name: o.Name}, Origin: j.origin(o.Origin),
				Remedy: "use --unshare-user and --unshare-pid instead"})
		}
	}
	return found
}

// programs: whoever can write bwrap or ocjail needs no way out of the next jail.
func (j *Jail) programs() []finding.Finding {
	own := map[string]string{}
	self, err := os.Executable()
	if err != nil {
		return []finding.Finding{{Rule: ruleProgram,
			Message: fmt.Sprintf("whether the jail can write ocjail itself can not be told: %v", err), Subject: finding.Subject{Kind: "command"}, Remedy: "mount /proc"}}
	}
	maps.Copy(own, worker.Programs())
	own[self] = "ocjail"
	if j.Bwrap != nil {
		own[j.Bwrap.Path] = "bwrap"
	}
	var found []finding.Finding
	for p, name := range own {
		if way := j.Tree.Widest(p); way.Access.Writes() {
			found = append(found, finding.Finding{Rule: ruleProgram,
				Message: fmt.Sprintf("%s is %s itself, and can be written in the jail as %s: the next launch would run what the agent put there", p, name, way.Inside),
				Subject: finding.Subject{Kind: "path", Path: p}, Origin: j.origin(j.Sandbox.Options[way.Mount.Option].Origin),
				Remedy: "install " + name + " outside of what the jail may write, for instance in /usr/local/bin"})
		}
	}
	return found
}

func (j *Jail) tildes() []finding.Finding {
	var found []finding.Finding
	for _, i := range j.Tildes {
		o := j.Asked.Options[i]
		found = append(found, finding.Finding{Rule: ruleTilde,
			Message: fmt.Sprintf("the ~/ in %s was taken for %s", o.Name, j.Facts.Home),
			Subject: finding.Subject{Kind: "mount", Path: lastArg(o)}, Origin: j.origin(o.Origin)})
	}
	return found
}

// Written says where an option was written: FILE:LINE of a profile, --add[INDEX],
// or the combinator, option and file that the manifest tells; "" when nobody said.
func (j *Jail) Written(id string) string {
	if o, ok := j.Manifest.Origin(id); ok {
		return o.String()
	}
	return strings.TrimPrefix(id, "profile:")
}

// Notation is how the jail is written, as far as one can add to it: --add goes
// with every profile.
func (j *Jail) Notation() notation.Notation {
	if n := j.notation(nil); n != notation.Profile {
		return n
	}
	return notation.Add
}

// origin says what an OriginOption's ID stands for; nil for "".
func (j *Jail) origin(id string) *finding.Origin {
	if o, ok := j.Manifest.Origin(id); ok {
		return &o
	}
	return parseOrigin(id)
}

// notation is how the jail is written, at the origin where there is one.
func (j *Jail) notation(o *finding.Origin) notation.Notation {
	ofProfile := func(o sandbox.Option) bool { return strings.HasPrefix(o.Origin, "profile:") }
	switch {
	case j.Manifest != nil:
		return notation.Nix
	case o != nil && strings.HasPrefix(o.Option, "--add["):
		return notation.Add
	case slices.ContainsFunc(j.Asked.Options, ofProfile):
		return notation.Profile
	}
	return notation.Bwrap
}

// parseOrigin reads the IDs that package profile writes: "profile:FILE:LINE"
// and "--add[N]". Others are given as they are.
func parseOrigin(id string) *finding.Origin {
	if id == "" {
		return nil
	}
	if rest, ok := strings.CutPrefix(id, "profile:"); ok {
		if i := strings.LastIndexByte(rest, ':'); i > 0 {
			if line, err := strconv.Atoi(rest[i+1:]); err == nil {
				return &finding.Origin{File: rest[:i], Line: line}
			}
		}
	}
	return &finding.Origin{Option: id}
}
