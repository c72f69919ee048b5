package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// transport speaks TLS, through the proxy that the environment names (HTTPS_PROXY,
// NO_PROXY). Without TLS it speaks with this machine alone, whatever a name leads to.
func (c *Client) transport(s bundle.Source) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Authorities},
		DisableCompression:     true, // a bundle is compressed, and stays so
		MaxResponseHeaderBytes: 64 << 10,
	}
	if s.Local() && s.Scheme != "https" {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if a, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
				_ = conn.Close() // nothing was said
				return nil, fmt.Errorf("%s is %s, not this machine, and HTTP in the clear is for this machine alone", address, conn.RemoteAddr())
			}
			return conn, nil
		}
	}
	return t
}

// Authorities are the system's and those of certificates in PEM.
func Authorities(certificates []byte) (*x509.CertPool, error) {
	all, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the certificates of this machine: %w", err)
	}
	if !all.AppendCertsFromPEM(certificates) {
		return nil, errors.New("it holds no certificate in PEM: name a file with BEGIN CERTIFICATE")
	}
	return all, nil
}

const maxRedirects = 5

// sameOrigin follows redirects within one host: where another would send us, the
// organisation has not said.
func sameOrigin(r *http.Request, via []*http.Request) error {
	from := via[0].URL
	if r.URL.Scheme != from.Scheme || r.URL.Host != from.Host {
		return fmt.Errorf("%s redirects to another host, %s://%s, which is not followed: name that in the source if the bundle is there", from.Host, r.URL.Scheme, r.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	}
	return nil
}

// blobsElsewhere also follows a registry to where it keeps blobs, as many do: they
// are known by their digests. Credentials do not go there (package auth).
func blobsElsewhere(s bundle.Source) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.Scheme == "https" && isBlob(via[0].URL.Path, s) && len(via) <= maxRedirects {
			return nil
		}
		return sameOrigin(r, via)
	}
}

// counted tells c.Progress of what comes through t.
func (c *Client) counted(t *http.Transport) http.RoundTripper {
	if c.Progress == nil {
		return t
	}
	return counting{t, c.Progress}
}

type counting struct {
	http.RoundTripper
	progress func(n int)
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = countedBody{answer.Body, c.progress}
	}
	return answer, err
}

type countedBody struct {
	io.ReadCloser
	progress func(n int)
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.progress(n)
	return n, err
}
