package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/profile"
)

// findRevised is find for a name that may also be git's for a file of a revision.
// text is what a file holds, nil for an embedded profile.
func (t targets) findRevised(ctx context.Context, name string) (found target, text []byte, err error) {
	if slices.Contains(profile.Names(), name) {
		found, err = t.find(name)
		return found, nil, err
	}
	object := t.object(name)
	if _, err = os.Stat(name); name == "-" || err == nil {
		// A file that an agent named like a revision must not be taken for it.
		if _, err := readObject(ctx, object); object != "" && err == nil {
			return target{}, nil, fmt.Errorf("there is a file of this name, and git has %s: write ./%s for the file, or remove it", object, name)
		}
		if text, err = t.read(name); err != nil {
			return target{}, nil, err
		}
		found, err = t.parse(name, text)
		return found, text, err
	}
	if object == "" {
		return target{}, nil, errors.New("there is no such file; of a revision name the file too, as in HEAD~1:jail.hcl, or give --profile FILE")
	}
	if text, err = readObject(ctx, object); err != nil {
		return target{}, nil, err
	}
	found, err = t.parse(object, text)
	return found, text, err
}

// object is git's name for a target that may be meant for git, "" for any other.
func (t targets) object(name string) string {
	switch {
	case name == "-" || filepath.IsAbs(name) || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../"):
		return ""
	case strings.Contains(name, ":"):
		return name
	case t.flags.profile == "":
		return ""
	}
	return name + ":./" + t.flags.profile
}

// gitLimit bounds how long git may take for one file.
const gitLimit = 30 * time.Second

// readObject has git read a file of a revision, in the repository around the
// working directory, whose configuration an agent may have written. cat-file runs
// neither filters nor pagers, and no helper but what fetches missing objects: no
// protocol is allowed for that (git(1), GIT_ALLOW_PROTOCOL).
//
// Nor does git append to files, for which it goes by a global configuration (trace2.*,
// git-config(1)): a project's .env can choose that. The user's own remains, for
// safe.directory.
func readObject(ctx context.Context, object string) ([]byte, error) {
	if strings.ContainsAny(object, "\n\x00") {
		return nil, errors.New("a revision has no line breaks")
	}
	ctx, cancel := context.WithTimeout(ctx, gitLimit)
	defer cancel()
	git := exec.CommandContext(ctx, "git", "--no-pager", "--no-replace-objects", "cat-file", "--batch")
	for _, name := range []string{"PATH", "HOME"} {
		git.Env = append(git.Env, name+"="+os.Getenv(name))
	}
	git.Env = append(git.Env, "GIT_TRACE2=0", "GIT_TRACE2_EVENT=0", "GIT_TRACE2_PERF=0")
	git.Env = append(git.Env, "LC_ALL=C", "GIT_ALLOW_PROTOCOL=", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0")
	git.Stdin = strings.NewReader(object + "\n")
	var stderr ending
	git.Stderr = &stderr
	out, err := git.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := git.Start(); err != nil {
		return nil, fmt.Errorf("a revision's file is read by git: %w", err)
	}
	answer, err := io.ReadAll(io.LimitReader(out, maxTarget+1))
	if len(answer) > maxTarget {
		cancel()
	}
	if wait := git.Wait(); err == nil && len(answer) <= maxTarget && wait != nil {
		err = fmt.Errorf("git cat-file: %w%s", errors.Join(wait, ctx.Err()), tail(string(stderr)))
	}
	switch head, content, ok := bytes.Cut(answer, []byte("\n")); {
	case err != nil:
		return nil, err
	case len(answer) > maxTarget:
		return nil, fmt.Errorf("more than %d MiB", maxTarget>>20)
	case ok && bytes.Contains(head, []byte(" blob ")) && len(content) > 0:
		return content[:len(content)-1], nil
	default:
		return nil, errors.New("neither a file here, nor one of a revision that git knows, as in HEAD~1:jail.hcl")
	}
}
