package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// download gets a bundle from a web server. The mark is its ETag (RFC 9110, 8.8.3).
func (c *Client) download(ctx context.Context, s bundle.Source, w Wanted) (*Fetched, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", c.agent())
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if w.Mark != "" {
		r.Header.Set("If-None-Match", w.Mark)
	}
	t := c.transport(s)
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: c.counted(t), CheckRedirect: sameOrigin}
	answer, err := client.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotModified && w.Mark != "":
		return &Fetched{Mark: w.Mark}, nil
	case answer.StatusCode != http.StatusOK:
		return nil, &statusError{answer.StatusCode, fmt.Sprintf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))}
	}
	archive, err := atMost(answer.Body, bundle.MaxArchive)
	if err == nil { // a server that is hung up on may end its answer as if it were whole
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return &Fetched{Archive: archive, Mark: etag(answer.Header.Get("ETag"))}, nil
}

// etag drops what is too long to be sent back each time.
func etag(s string) string {
	if len(s) > 1000 {
		return ""
	}
	return s
}

func (c *Client) agent() string { return "ocjail/" + c.Version }

// withoutURL drops what net/http puts before an error: the source is named anyway, and
// its query may be a secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func atMost(r io.Reader, most int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err == nil && len(text) > most {
		err = errTooLarge
	}
	return text, err
}

var errTooLarge = fmt.Errorf("%w: it has more than %d MiB: name the source of a bundle", bundle.ErrTooLarge, bundle.MaxArchive>>20)
