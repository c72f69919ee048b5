//go:build linux && !nojail

package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func newDoctor() *cobra.Command {
	var bwrap string
	var org bool
	f := jailFlags{judges: true}
	c := &cobra.Command{
		Use:   "doctor [flags]",
		Short: "Tell whether this machine can run jails, and what to mend if not",
		Long: `Look at what jails need of this machine, at the configuration, and start a harmless
jail. Each check says ok, warn (jails run all the same) or fail, and how to mend it.

With --org also look at what an organisation rolls out: each policy with its layer,
source, revision, keys, end and age; rules that are only observed; waivers with their
ends; what does not count; and an opencode that starts without a jail. A policy that
cannot be used fails, for nothing starts.

Exit status 0: jails can run here; 1: they can not.`,
		Example: `  ocjail doctor
  ocjail doctor --org
  ocjail doctor --format json | jq -r '.checks[] | select(.status != "ok") | "\(.name): \(.detail)", .mend // empty'`,
		Args: operands(0),
	}
	c.Flags().StringVar(&bwrap, "bwrap", "", "the real bubblewrap's `PATH` (default: from $PATH)")
	must(c.MarkFlagFilename("bwrap"))
	c.Flags().BoolVar(&org, "org", false, "look at the policies, waivers and observed rules that hold here, too")
	f.registerConfig(c)
	f.registerProject(c)
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !org && (f.config != "" || f.project != "") {
			return &statusError{brokenStatus, errors.New("--config and --project are for --org: add it")}
		}
		d := examine(c.Context(), bwrap)
		if org {
			d.organisation(&f, time.Now())
		} else {
			d.configuration(&f)
		}
		found := d.found()
		if err := write(c.OutOrStdout(), *format, found); err != nil {
			return err
		}
		if !found.Ready {
			return &statusError{foundStatus, nil}
		}
		return nil
	}
	return c
}

// doctor collects checks.
type doctor struct {
	ctx    context.Context
	fs     *host.FS
	facts  host.Facts
	bwrap  *host.Bwrap
	distro string
	// works tells that the trial jail ran, which decides over every indirect sign.
	works  bool
	checks []report.Check
}

func (d *doctor) add(name string, status report.CheckStatus, detail, mend string) {
	d.checks = append(d.checks, report.Check{Name: name, Status: status, Detail: detail, Mend: mend})
}

// sign adds a check that only explains: where the trial jail ran, it can not fail.
func (d *doctor) sign(name, detail, mend string) {
	status := report.Fail
	if d.works {
		status = report.Warn
	}
	d.add(name, status, detail, mend)
}

// examine runs all checks that the ones before leave possible.
func examine(ctx context.Context, bwrap string) *doctor {
	d := &doctor{ctx: ctx, fs: host.NewFS(), distro: distribution("/etc/os-release", "/usr/lib/os-release")}
	var err error
	// The root directory stands for a project: none is needed here.
	if d.facts, err = host.Gather(d.fs, "/"); err != nil {
		d.add("host", report.Fail, err.Error(), "")
	} else {
		d.user()
		d.stateDir()
		d.ruleCache()
	}
	d.findBwrap(bwrap)
	d.trial()
	if err == nil { // what is not known of the kernel is not missing
		d.kernel()
	}
	d.programs()
	return d
}

// configuration looks at the files that count here. A broken one of the organisation's
// or the user's keeps jails from starting anywhere, a project's in that project.
func (d *doctor) configuration(f *jailFlags) {
	if d.facts.Home == "" {
		return // which is a failure of its own
	}
	if _, _, err := f.files(d.facts, opening{}); err != nil {
		d.add("configuration", report.Fail, err.Error(), "mend that file: nothing starts before")
		return
	}
	root, err := f.projectOrNone()
	if err == nil && root == "" {
		return // no project here, which is no fault of the machine's
	}
	var facts host.Facts
	if err == nil {
		facts, err = host.Gather(host.NewFS(), root)
	}
	if err == nil {
		_, _, err = f.files(facts, opening{project: root})
	}
	if err != nil {
		d.add("configuration", report.Warn, err.Error(), "mend that file: in this project nothing starts before")
		return
	}
	d.add("configuration", report.OK, "the files can be read (what holds: ocjail config show)", "")
}

// found sums up: one failure, and jails can not run here.
func (d *doctor) found() *report.Checks {
	found := &report.Checks{Version: 1, Ready: true, Checks: d.checks}
	for _, c := range d.checks {
		found.Ready = found.Ready && c.Status != report.Fail
	}
	return found
}
