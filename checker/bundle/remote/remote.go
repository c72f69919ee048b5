// Package remote fetches bundles from registries and web servers, and pushes them to
// registries. It links net/http and oras, so ocjail-rules uses it; a launch never
// does.
package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

// Client talks to the host of a source. It trusts nothing of what it gets but that it
// is not too much.
type Client struct {
	// Limit bounds all that is done for one call, [DefaultLimit] when zero.
	Limit time.Duration
	// Token is sent to the host of an https:// source, and no other, "" for none
	// (RFC 6750).
	Token string
	// Authorities are those that vouch for hosts, nil for the system's.
	Authorities *x509.CertPool
	// Version is ocjail's, for User-Agent.
	Version string
	// Progress is told how many bytes more have come; nil for nobody.
	Progress func(n int)
}

// DefaultLimit is how long a source may take.
const DefaultLimit = 30 * time.Second

// Fetched is what a source has.
type Fetched struct {
	Archive []byte // nil when it is what the mark stands for
	Mark    string // see store.Entry
}

// Wanted says which of the bundles that a source has had.
type Wanted struct {
	// Mark is what an earlier Get returned: nothing is fetched while it stands for the
	// same. "" fetches in any case.
	Mark string
	// Digest is that of the archive, "sha256:" and hexadecimal; "" for the newest.
	Digest string
}

// Get fetches what a source has. The error says what to do, and does not name the
// source.
func (c *Client) Get(ctx context.Context, s bundle.Source, w Wanted) (*Fetched, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	get := c.download
	if s.Scheme == "oci" {
		get = c.pull
	}
	f, err := get(ctx, s, w)
	if err != nil {
		return nil, w.explain(explain(ctx, s, err))
	}
	if w.Digest != "" && f.Archive != nil {
		if got := store.DigestOf(f.Archive); got != w.Digest {
			return nil, w.explain(fmt.Errorf("it has %s now", got))
		}
	}
	return f, nil
}

// explain tells of the lock, which may name what the source has no more.
func (w Wanted) explain(err error) error {
	if w.Digest == "" {
		return err
	}
	return fmt.Errorf("%w (the lock names %s; ocjail bundle update moves it to what is there)", err, w.Digest)
}

// errSlow is why the context of a call ends.
type errSlow struct{ limit time.Duration }

func (e errSlow) Error() string {
	return fmt.Sprintf("it took longer than %s: see that the network and the host are up, or allow more with --timeout", e.limit)
}

func (c *Client) within(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := c.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	return context.WithTimeoutCause(ctx, limit, errSlow{limit})
}

// explain says what to do about an error, where that can be told.
func explain(ctx context.Context, s bundle.Source, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ctx.Err()) {
		return cause // the time is over
	}
	var answer *statusError
	if !errors.As(err, &answer) {
		return explainNetwork(err)
	}
	login := "docker login " + s.Host
	if s.Scheme != "oci" {
		login = "name a file with a bearer token (--token-file, or token_file in the policy)"
	}
	switch answer.status {
	case 401, 403:
		return fmt.Errorf("%w: it does not let you: %s", err, login)
	case 404:
		return fmt.Errorf("%w: there is no such bundle: correct the source, or have its publisher push it", err)
	}
	return fmt.Errorf("%w: try again later, or ask who runs it", err)
}

// explainNetwork says what to do where nobody answered, or not to the end.
func explainNetwork(err error) error {
	var unknown *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: name who issued the host's certificate with --ca-file, have this machine trust it, or ask who runs it", err)
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: see that the network, the proxy and the host are up, and try again", err)
	}
	return err
}

// statusError is an answer that is none of those that were asked for.
type statusError struct {
	status int
	what   string
}

func (e *statusError) Error() string { return e.what }
