package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/remote"
	"github.com/refnil/opencode-jail-devenv/checker/release"
)

// reaching are the flags of what reaches for a source.
type reaching struct {
	*flag.FlagSet
	client                    *remote.Client
	build, authorities, token string
}

func newReaching(name string) *reaching {
	r := &reaching{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), client: &remote.Client{Version: release.Version}}
	r.SetOutput(io.Discard)
	r.StringVar(&r.build, "build", "", "")
	r.DurationVar(&r.client.Limit, "timeout", 0, "")
	r.StringVar(&r.authorities, "ca-file", "", "")
	r.StringVar(&r.token, "token-file", "", "")
	return r
}

func (r *reaching) parse(words []string) error {
	if err := r.Parse(words); err != nil {
		return err
	}
	return sameBuild(r.build)
}

// source is the one that a word names. The client can speak to it from then on.
func (r *reaching) source(word string) (s bundle.Source, err error) {
	if s, err = bundle.ParseSource(word); err != nil {
		return s, err
	}
	if r.client.Token, err = readToken(r.token); err != nil {
		return s, err
	}
	return s, vouch(r.client, r.authorities)
}

// pushBundle pushes the bundle that the words of ocjail bundle push name.
func pushBundle(words []string, out io.Writer) error {
	flags := newReaching("bundle-push")
	if err := flags.parse(words); err != nil {
		return err
	}
	file := flags.Arg(0)
	archive, err := readMost(file, bundle.MaxArchive)
	if err != nil {
		return err
	}
	b, claim, err := bundle.Inspect(archive)
	if err == nil && !claim.Signed {
		err = errors.New("it is not signed, and nobody could use it: run ocjail bundle sign")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	s, err := flags.source(flags.Arg(1))
	if err != nil {
		return err
	}
	manifest, err := flags.client.Push(context.Background(), s, archive, b.Manifest)
	if err != nil {
		return fmt.Errorf("%s: push %s: %w", s, file, err)
	}
	_, err = fmt.Fprintf(out, "%s: revision %s, %s, pushed; oci://%s/%s@%s names it for good\n", s, b.Manifest.Revision, b.Digest, s.Host, s.Repository, manifest)
	return err
}

// files collects a flag that is given more than once.
type files []string

func (f *files) String() string     { return strings.Join(*f, ",") }
func (f *files) Set(s string) error { *f = append(*f, s); return nil }

// order reads the words of ocjail bundle pull.
func order(words []string) (*remote.Client, remote.Order, error) {
	flags := newReaching("bundle-pull")
	var o remote.Order
	flags.StringVar(&o.Store.Dir, "store", "", "")
	flags.BoolVar(&o.Store.Shared, "shared", false, "")
	flags.StringVar(&o.Store.Root, "root", "", "")
	flags.StringVar(&o.Digest, "digest", "", "")
	flags.DurationVar(&o.RefuseAfter, "refuse-after", 0, "")
	rollback := flags.String("rollback", "", "")
	var keys files
	flags.Var(&keys, "key", "")
	if err := flags.parse(words); err != nil {
		return nil, o, err
	}
	var err error
	if o.Source, err = flags.source(flags.Arg(0)); err != nil {
		return nil, o, err
	}
	if *rollback != "" {
		if o.Rollback, err = bundle.ParseRevision(*rollback); err != nil {
			return nil, o, err
		}
	}
	o.Keys, err = readPublicKeys(keys)
	return flags.client, o, err
}

// pullBundle fetches the bundle that the words of ocjail bundle pull name.
func pullBundle(words []string, out io.Writer) error {
	client, o, err := order(words)
	if err != nil {
		return err
	}
	p, err := client.Pull(context.Background(), o, time.Now())
	if err != nil {
		return err
	}
	if p.Twin != "" {
		fmt.Fprintf(out, "%s: warning: it is another bundle than %s, which was here, and of the same revision %s: machines can not tell which is the newer, so have its publisher give each a revision of its own\n", o.Source, p.Twin, p.Revision)
	}
	if p.Discarded != nil {
		fmt.Fprintf(out, "%s: %v, and fetched anew\n", o.Source, p.Discarded)
	}
	how := "fetched"
	rolledBack := o.Rollback != (bundle.Revision{}) && p.Revision.Compare(o.Rollback) == 0
	switch {
	case rolledBack && o.Store.Shared:
		how = "fetched, for all users, whatever they have seen before"
	case rolledBack:
	case p.Unchanged && o.Digest != "":
		how = "still there, as it is locked"
	case p.Unchanged:
		how = "still the newest"
	case o.Digest != "":
		how = "fetched, as it is locked"
	}
	_, err = fmt.Fprintf(out, "%s: revision %s, %s, signed by %s (%s): %s\n", o.Source, p.Revision, p.Digest, p.Signer, p.Algorithm, how)
	return err
}

func readPublicKeys(names []string) ([]bundle.Key, error) {
	var keys []bundle.Key
	for _, name := range names {
		text, err := readMost(name, maxKeyFile)
		if err != nil {
			return nil, err
		}
		more, err := bundle.ParseKeys(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		keys = append(keys, more...)
	}
	return keys, nil
}

// readToken reads a bearer token (RFC 6750, 2.1), which may end in a newline.
func readToken(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	text, err := readMost(name, 64<<10)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fmt.Errorf("%s holds no bearer token: write it as one line", name)
	}
	return token, nil
}

// vouch has a client trust the authorities that a file names as well.
func vouch(client *remote.Client, name string) error {
	if name == "" {
		return nil
	}
	text, err := readMost(name, maxAuthorities)
	if err != nil {
		return fmt.Errorf("--ca-file: %w", err)
	}
	if client.Authorities, err = remote.Authorities(text); err != nil {
		return fmt.Errorf("--ca-file %s: %w", name, err)
	}
	return nil
}

// maxAuthorities bounds a file of certificates, in bytes: what a system trusts takes a
// quarter of it.
const maxAuthorities = 1 << 20
