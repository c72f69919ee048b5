//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// manifestVariable names the manifest of the jail that is launched; the wrapper
// which the Nix module makes sets it.
const manifestVariable = "OCJAIL_MANIFEST"

// argvName is the name of jails that nothing but bwrap's arguments describes.
const argvName = "bwrap"

func newGate() *cobra.Command {
	f := jailFlags{judges: true}
	var verbose, timings, require bool
	var file, proxy string
	c := &cobra.Command{
		Use:   "gate [flags] -- BWRAP-ARGV…",
		Short: "Stand in bwrap's place: check the jail that the arguments describe, then start it",
		Long: `Stand in bwrap's place: check the jail that bwrap's arguments describe, then
start it with the real bwrap. Installed under the name bwrap, ocjail takes all
its arguments as bwrap's.

A manifest, which the Nix module makes, tells the jail's name and where each of
the options was written. It explains findings and permits nothing.

Exit statuses are those of 'ocjail run'.`,
		Example: `  ocjail gate -- --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib \
      --symlink usr/lib64 /lib64 --unshare-all --clearenv --proc /proc -- /bin/true
  ln -s "$(command -v ocjail)" ~/jail/bwrap   # for programs that call bwrap`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			l := newLauncher(c.ErrOrStderr(), verbose, timings)
			man, nested, err := openManifest(file, require)
			if err != nil {
				return launchError(err)
			}
			m, err := f.openForGate(man, nested)
			if err != nil {
				return launchError(err)
			}
			m.busProxy = proxy
			l.step("facts")
			err = l.launch(c, m, argvName, args)
			var exit *sandbox.ExitError
			if errors.As(err, &exit) {
				return execReal(m.bwrap, exit.Option)
			}
			return err
		},
	}
	f.registerHost(c)
	c.Flags().StringVar(&file, "manifest", "", "the jail's manifest `FILE` (default: $"+manifestVariable+")")
	c.Flags().BoolVar(&require, "require-manifest", false, "refuse to launch without a manifest")
	must(c.MarkFlagFilename("manifest", "json"))
	c.Flags().StringVar(&proxy, "bus-proxy", "", "`PATH` of the xdg-dbus-proxy that may stand between a jail and the session bus (default: none may)")
	must(c.MarkFlagFilename("bus-proxy"))
	launchFlags(c, &verbose, &timings)
	return c
}

// openManifest reads the manifest, if there is one, and makes sure that the
// launch is where it was made for: elsewhere the agent would land in an empty
// home. Of its project nested are the roots of those on the way to where it starts.
func openManifest(file string, require bool) (man *manifest.Manifest, nested []string, err error) {
	source := "--manifest"
	if file == "" {
		source, file = manifestVariable, os.Getenv(manifestVariable)
	}
	if file == "" {
		if require {
			return nil, nil, errors.New("no manifest: " + manifestVariable + " is not set; start the program that the devenv shell has on its PATH, or name the file with --manifest")
		}
		return nil, nil, nil
	}
	m, err := manifest.Load(file)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", source, err)
	}
	if m.Project == "" {
		return m, nil, nil
	}
	home, cwd, err := homeAndHere()
	if err != nil {
		return nil, nil, err
	}
	real, err := filepath.EvalSymlinks(cwd)
	if err != nil {
		return nil, nil, fmt.Errorf("working directory: %w", err)
	}
	if _, nested, err = profile.Stated(home, real, m.Project); err != nil {
		return nil, nil, fmt.Errorf("%s: manifest %s: its project: %w; or enter the devenv shell again", source, file, err)
	}
	return m, nested, nil
}

// openForGate takes the manifest's project. Without one it is that around the
// working directory, or that directory itself: the gate's caller decides where
// it starts.
func (f *jailFlags) openForGate(man *manifest.Manifest, nested []string) (*machine, error) {
	o := opening{bwrap: true, launch: true, nested: nested}
	if man != nil {
		o.project, o.options = man.Project, man.Policy
	}
	if o.project == "" {
		var err error
		if o.project, err = f.projectOrNone(); err != nil {
			return nil, err
		}
	}
	m, err := f.open(o)
	if err == nil {
		m.manifest = man
	}
	return m, err
}

// execReal lets the real bwrap print its help or version.
func execReal(b *host.Bwrap, option string) error {
	return &statusError{gate.Broken, syscall.Exec(b.Path, []string{"bwrap", option}, os.Environ())}
}
