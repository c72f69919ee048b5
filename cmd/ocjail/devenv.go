package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// What the devenv shell tells of the project that it was made of: the manifest
// of its jail, and when the shell was entered, in seconds since 1970. The module
// sets both.
const (
	projectManifest = "OCJAIL_PROJECT_MANIFEST"
	projectSince    = "OCJAIL_PROJECT_SINCE"
)

// devenvFiles are what devenv evaluates of a project, as far as their names are known.
var devenvFiles = []string{"devenv.nix", "devenv.yaml", "devenv.lock", "devenv.local.nix", "devenv.local.yaml"}

// named returns the targets of a command.
func (t targets) named(c *cobra.Command, args []string) ([]string, error) {
	if len(args) > 0 {
		if t.flags.evaluate && !slices.ContainsFunc(args, mayHoldProject) {
			return nil, errors.New("--evaluate goes without a TARGET, or with folders: the jail is what devenv.nix makes")
		}
		return args, nil
	}
	name, err := t.unnamed(c)
	return []string{name}, err
}

// mayHoldProject tells whether a target may be a devenv project.
func mayHoldProject(name string) bool {
	st, err := os.Stat(name)
	return err == nil && (st.IsDir() || isDevenv(name))
}

// isDevenv tells a file that stands for the devenv project that it lies in.
func isDevenv(name string) bool {
	base := filepath.Base(name)
	return base == "devenv.nix" || base == "devenv.yaml"
}

// unnamed returns the target of a command that was given none: the jail that devenv
// makes of the project, or the profile where it is none of devenv's. What a
// devenv.nix imports, only its evaluation tells; it is the agent's to write, and
// evaluating it runs what it says: only --evaluate does.
func (t targets) unnamed(c *cobra.Command) (string, error) {
	if c.Flags().Changed("profile") || len(t.flags.add) > 0 {
		if t.flags.evaluate {
			return "", errors.New("--evaluate goes without --profile and --add: the jail is what devenv.nix makes")
		}
		return t.flags.profile, nil
	}
	root, err := t.flags.findProject()
	file := ""
	if err == nil {
		file, err = devenvFile(root)
	}
	switch {
	case t.flags.evaluate && err != nil:
		return "", fmt.Errorf("--evaluate: no devenv project: %w", err)
	case t.flags.evaluate:
		return evaluate(c.Context(), root, t.warn)
	case root == "" || errors.Is(err, fs.ErrNotExist): // no project, which the profile will say, or none of devenv's
		return t.flags.profile, nil
	case err != nil:
		return "", err
	}
	name, err := ofShell(root)
	if err != nil || name != "" {
		return name, err
	}
	return "", fmt.Errorf("the jail of this devenv project is what %s makes of it, which was not evaluated. "+
		"Enter the devenv shell, which knows; or let ocjail evaluate it, which runs the project's Nix code: ocjail %s --evaluate; "+
		"or look at the profile that ocjail run starts: ocjail %s opencode", file, use(c), use(c))
}

// devenvFile returns the file that makes root a devenv project.
func devenvFile(root string) (file string, err error) {
	for _, name := range []string{"devenv.nix", "devenv.yaml"} {
		file = filepath.Join(root, name)
		if _, err = os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return file, err
}

// ofProject returns the manifest of a devenv project that was named, or found in a
// folder.
func (t targets) ofProject(ctx context.Context, dir string) (string, error) {
	root, err := filepath.Abs(dir)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return "", err
	}
	if t.flags.evaluate {
		return evaluate(ctx, root, t.warn)
	}
	name, err := ofShell(root)
	if err == nil && name == "" {
		err = errors.New("the jail is what devenv makes of this file, which was not evaluated: let ocjail do it, which runs its Nix code (--evaluate), or lint a manifest that was built before (devenv build " + manifestAttribute + ")")
	}
	return name, err
}

// use is the command with the operands that come before a TARGET.
func use(c *cobra.Command) string {
	if c.Name() == "why" {
		return "why PATH"
	}
	return c.Name()
}

// ofShell returns the manifest that the devenv shell knows, "" where there is no
// such shell of this project. A shell that is older than the project's files
// knows nothing.
func ofShell(root string) (string, error) {
	file := os.Getenv(projectManifest)
	if file == "" {
		return "", nil
	}
	file, err := notPlanted(file, root, manifestStore)
	if err != nil {
		return "", fmt.Errorf("%s: %w", projectManifest, err)
	}
	m, err := loadManifest(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", projectManifest, err)
	}
	if m.Project != root {
		real, err := filepath.EvalSymlinks(m.Project)
		if err != nil || real != root {
			return "", nil // another project's shell
		}
	}
	seconds, err := strconv.ParseInt(os.Getenv(projectSince), 10, 64)
	if err != nil {
		return "", fmt.Errorf("%s: %w; enter the devenv shell again", projectSince, err)
	}
	if now := time.Now(); seconds > now.Unix() {
		return "", fmt.Errorf("%s: %d is later than now (%d), so it is not when this shell was entered; enter the devenv shell again", projectSince, seconds, now.Unix())
	}
	entered := time.Unix(seconds+1, 0) // the shell counts whole seconds
	for _, name := range devenvFiles {
		var st unix.Stat_t
		err := unix.Stat(filepath.Join(root, name), &st)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("is the shell's manifest that of now? %s: %w", name, err)
		}
		// A program can put the time of the content back, and the kernel alone sets
		// that of the inode (inode(7)).
		if time.Unix(0, max(st.Mtim.Nano(), st.Ctim.Nano())).After(entered) {
			return "", fmt.Errorf("%s has changed since this devenv shell was entered, so the manifest that it knows is an old one: "+
				"enter the shell again, or name it if the old one is meant: \"$%s\"", name, projectManifest)
		}
	}
	return file, nil
}

// manifestStore is where the module's manifests lie. The tests have another.
var manifestStore = "/nix/store"

// notPlanted resolves a manifest, and refuses one that an agent could have written
// or that another made, as a project's .env can name: the module's lies in the Nix
// store.
func notPlanted(file, root, store string) (string, error) {
	at, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", fmt.Errorf("manifest %s: %w; enter the devenv shell again", file, pathless(err))
	}
	facts, err := host.Gather(host.NewFS(), root)
	if err != nil {
		return "", err
	}
	home, err := filepath.EvalSymlinks(facts.Home)
	if err != nil {
		return "", err
	}
	for where, dir := range map[string]string{"the project": root, "your home": home} {
		if _, inside := sandbox.Below(dir, at); inside {
			return "", fmt.Errorf("it names %s, which lies in %s: the agent could have written it; enter the devenv shell again", at, where)
		}
	}
	if _, inside := sandbox.Below(store, at); !inside {
		return "", fmt.Errorf("it names %s, which lies outside of the Nix store (%s), so the module did not make it; enter the devenv shell again", at, store)
	}
	return at, nil
}

// maxDevenvFile bounds what is read of a project's files.
const maxDevenvFile = 1 << 20

// mentionsOpencode tells whether the project's files speak of opencode: else
// they can hardly import the module, whose input and option have it in their
// names. What can not be read may speak of it.
func mentionsOpencode(root string) (bool, error) {
	for _, name := range devenvFiles {
		text, err := readRegular(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		if bytes.Contains(text, []byte("opencode")) {
			return true, nil
		}
	}
	return false, nil
}

func readRegular(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no regular file", file), err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxDevenvFile+1))
	if err == nil && len(text) > maxDevenvFile {
		err = fmt.Errorf("%s is larger than %d MiB", file, maxDevenvFile>>20)
	}
	return text, err
}
