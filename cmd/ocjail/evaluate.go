package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

// manifestAttribute is what the module defines, and devenv builds.
const manifestAttribute = "programs.opencode.manifest"

// evaluateLimit bounds an evaluation: the first of a project fetches its inputs.
const evaluateLimit = 10 * time.Minute

// evaluate has devenv build the project's manifest and returns its file. It runs
// the project's Nix code with the caller's rights.
func evaluate(ctx context.Context, root string, progress io.Writer) (string, error) {
	program, err := exec.LookPath("devenv")
	if err != nil {
		return "", fmt.Errorf("--evaluate: %w: install devenv (https://devenv.sh/getting-started/), or name a manifest as TARGET", err)
	}
	ctx, cancel := context.WithTimeout(ctx, evaluateLimit)
	defer cancel()
	c := exec.CommandContext(ctx, program, "build", manifestAttribute)
	c.Dir = root
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	var stdout, stderr ending
	c.Stdout, c.Stderr = &stdout, &stderr
	if f, ok := progress.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(progress, "ocjail: evaluating %s (devenv build %s)\n", filepath.Join(root, "devenv.nix"), manifestAttribute)
	}
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("devenv build %s: %w%s", manifestAttribute, errors.Join(err, ctx.Err()), tail(string(stderr)))
	}
	file, err := builtFile(stdout)
	if err != nil {
		return "", fmt.Errorf("devenv build %s: %w", manifestAttribute, err)
	}
	m, err := loadManifest(file)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(m.Project); err != nil || real != root {
		return "", errors.Join(fmt.Errorf("devenv made a manifest of the project %q, and this is %s", m.Project, root), err)
	}
	return file, nil
}

// ending keeps the end of what is written to it: Nix code can print without end.
type ending []byte

func (e *ending) Write(p []byte) (int, error) {
	const most = 64 << 10
	*e = append(*e, p...)
	if n := len(*e); n > most {
		*e = slices.Clone((*e)[n-most:])
	}
	return len(p), nil
}

// builtFile reads what devenv build prints: an object from attribute to path
// since version 2.0, a path on a line before.
func builtFile(out []byte) (string, error) {
	file := strings.TrimSpace(string(out))
	if strings.HasPrefix(file, "{") {
		var built map[string]string
		if err := json.Unmarshal(out, &built); err != nil {
			return "", fmt.Errorf("unexpected output: %w", err)
		}
		file = built[manifestAttribute]
	}
	if !filepath.IsAbs(file) || strings.Contains(file, "\n") {
		return "", fmt.Errorf("it printed no path of a manifest, but %q", shortened(file))
	}
	return file, nil
}

// loadManifest is manifest.Load for a file that may be meant for another command.
func loadManifest(file string) (*manifest.Manifest, error) {
	m, err := manifest.Load(file)
	if err == nil && filepath.Ext(file) != ".json" {
		err = fmt.Errorf("manifest %s: its name does not end in .json", file)
	}
	return m, err
}

// tail is the end of what a program said, on lines of its own.
func tail(text string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > most {
		lines = append([]string{"…"}, lines[len(lines)-most:]...)
	}
	if text = strings.Join(lines, "\n"); text == "" {
		return ""
	}
	return "\n" + text
}

func shortened(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
