package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/builder"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// buildBundle makes the bundle that the words of ocjail bundle build describe, which
// has checked them.
func buildBundle(words []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("bundle-build", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var o builder.Options
	file := flags.String("output", "", "")
	ofBuild := flags.String("build", "", "")
	revision := flags.String("revision", "", "")
	created := flags.Int64("created", 0, "")
	expires := flags.Int64("expires", 0, "")
	flags.StringVar(&o.Ocjail, "min-version", "", "")
	flags.BoolVar(&o.WASM, "wasm", false, "")
	flags.BoolVar(&o.NoPlan, "no-plan", false, "")
	if err := flags.Parse(words); err != nil {
		return brokenStatus, err
	}
	if err := sameBuild(*ofBuild); err != nil {
		return brokenStatus, err
	}
	var err error
	if o.Revision, err = bundle.ParseRevision(*revision); err != nil {
		return brokenStatus, err
	}
	o.Created = time.Unix(*created, 0).UTC()
	if *expires != 0 {
		o.Expires = time.Unix(*expires, 0).UTC()
	}
	if o.Known, err = ownRules(context.Background()); err != nil {
		return brokenStatus, err
	}
	b, err := builder.Build(context.Background(), flags.Arg(0), o)
	if errors.Is(err, builder.ErrTests) {
		return foundStatus, errors.Join(b.Tests.Text(out), err)
	}
	if err != nil {
		return brokenStatus, err
	}
	if err := putFile(*file, b.Archive, 0o644); err != nil {
		return brokenStatus, err
	}
	if err := tellBuilt(out, *file, b); err != nil {
		return brokenStatus, err
	}
	return 0, nil
}

// tellBuilt says what was made.
func tellBuilt(out io.Writer, file string, b *builder.Built) error {
	tests := 0
	if b.Tests != nil {
		tests = b.Tests.Passed
	}
	compiled := ""
	if b.NoPlan != nil {
		compiled = fmt.Sprintf("; a launch compiles it, which takes longer: %v", b.NoPlan)
	}
	_, err := fmt.Fprintf(out, "%s: revision %s, %s, %s passed, %d KiB%s\n", file, b.Manifest.Revision, counted(len(b.Manifest.Rules), "rule"), counted(tests, "test"), kib(b.Archive), compiled)
	for _, w := range b.Expired {
		if err == nil {
			_, err = fmt.Fprintf(out, "%s: the waiver of %s counts no more, its last day was %s: delete it, or renew it\n", w.Pos, w.Rule, w.LastDay())
		}
	}
	return err
}

// kib is the size of a file, rounded up.
func kib(file []byte) int { return (len(file) + 1023) >> 10 }

// ownRules are ocjail's.
func ownRules(ctx context.Context) ([]engine.Rule, error) {
	c, err := checker.Open(ctx, config.Default(), checker.Where{}, checker.Keeping{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Rules(), nil
}

// rules counts them in words.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// signBundle signs the bundle that the words of ocjail bundle sign name.
func signBundle(words []string, out io.Writer) error {
	flags := flag.NewFlagSet("bundle-sign", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	ofBuild := flags.String("build", "", "")
	keyFile := flags.String("key", "", "")
	if err := flags.Parse(words); err != nil {
		return err
	}
	if err := sameBuild(*ofBuild); err != nil {
		return err
	}
	file := flags.Arg(0)
	text, err := readMost(*keyFile, maxKeyFile)
	if err != nil {
		return err
	}
	key, err := builder.ParsePrivateKey(text)
	if err != nil {
		return fmt.Errorf("%s: %w", *keyFile, err)
	}
	if err := secret(*keyFile); err != nil {
		return err
	}
	archive, err := readMost(file, bundle.MaxArchive)
	if err != nil {
		return err
	}
	signed, err := bundle.Sign(archive, key)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := putFile(file, signed, info.Mode().Perm(), renameio.IgnoreUmask()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: signed by %s (%s)\n", file, key.Public().ID, key.Public().Algorithm)
	return err
}

const maxKeyFile = 1 << 20

// secret refuses the user's key that others can read, as ssh does.
func secret(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if mode := info.Mode(); ok && int(owner.Uid) == os.Getuid() && mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return fmt.Errorf("%s is a private key that others can read (mode %04o): run chmod 600 on it, and make another if somebody did", file, mode.Perm())
	}
	return nil
}

// putFile puts a file in its place at once. Its error names that, not the temporary
// file beside it.
func putFile(name string, text []byte, mode fs.FileMode, options ...renameio.Option) error {
	err := renameio.WriteFile(name, text, mode, options...)
	var of *fs.PathError
	var moving *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &of):
		err = of.Err
	case errors.As(err, &moving):
		err = moving.Err
	}
	return fmt.Errorf("%s can not be written: %w", name, err)
}

// readMost reads a file of at most so many bytes.
func readMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d KiB: name another file", name, most>>10)
	}
	return text, err
}
