package bundle

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// Source is where a bundle is fetched from.
type Source struct {
	// Scheme is "oci", "https", or "http" on this machine.
	Scheme string
	Host   string // with the port, if one is named
	// Repository, and Tag or Digest ("sha256:" and hexadecimal, of the OCI manifest),
	// are an OCI registry's.
	Repository, Tag, Digest string

	text string
}

// IsSource tells a source from a path.
func IsSource(s string) bool { return strings.Contains(s, "://") }

// The names that registries know (OCI Distribution Specification, "Pulling
// manifests").
// They are compiled when a source is there to be read, which is not at each start.
var (
	repositoryName = pattern(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagName        = pattern(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

func pattern(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

// maxSource bounds the length of a source.
const maxSource = 1000

// ParseSource reads oci://HOST/REPOSITORY:TAG, oci://HOST/REPOSITORY@sha256:DIGEST
// or https://HOST/PATH; on this machine also http://. An error never repeats what may
// be a password.
func ParseSource(s string) (Source, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxSource {
		return Source{}, errors.New("it is no URL: write oci://HOST/REPOSITORY:TAG or https://HOST/PATH")
	}
	source := Source{Scheme: u.Scheme, Host: u.Host, text: s}
	if err := plain(u, s); err != nil {
		return Source{}, err
	}
	switch u.Scheme {
	case "oci":
		return source, source.reference(strings.TrimPrefix(u.Path, "/"), u)
	case "https":
	case "http":
		if !source.Local() {
			return Source{}, fmt.Errorf("http:// is for this machine alone (127.0.0.1, [::1], localhost): write https://%s", u.Host)
		}
	default:
		return Source{}, fmt.Errorf("the scheme %.20q is not known: write oci:// or https://", u.Scheme)
	}
	if u.Path == "" || strings.HasSuffix(u.Path, "/") {
		return Source{}, errors.New("it names no file: write https://HOST/PATH")
	}
	return source, nil
}

// plain refuses what no source has.
func plain(u *url.URL, s string) error {
	switch {
	case u.User != nil:
		return errors.New("leave user and password out of the source: they are printed with it; docker login, or token_file, keeps them elsewhere")
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return errors.New("it names no host: write oci://HOST/REPOSITORY:TAG or https://HOST/PATH")
	case u.Fragment != "" || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }):
		return errors.New("it has a fragment, or characters other than ASCII: leave them out")
	}
	return nil
}

func (s *Source) reference(name string, u *url.URL) error {
	repository, digest, pinned := strings.Cut(name, "@")
	repository, tag, tagged := strings.Cut(repository, ":")
	switch {
	case u.RawQuery != "" || u.ForceQuery || !repositoryName().MatchString(repository):
		return errors.New("it names no repository: write oci://HOST/REPOSITORY:TAG, in lower case")
	case pinned && (tagged || !IsDigest(digest)):
		return errors.New("it names no digest: write oci://HOST/REPOSITORY@sha256:DIGEST, without a tag")
	case !pinned && !tagName().MatchString(tag):
		return errors.New("it names no tag: write oci://HOST/REPOSITORY:TAG")
	}
	s.Repository, s.Tag, s.Digest = repository, tag, digest
	return nil
}

// Local tells whether the host is this machine, where HTTP needs no TLS.
func (s Source) Local() bool {
	host := (&url.URL{Host: s.Host}).Hostname()
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Reference is the OCI tag or digest.
func (s Source) Reference() string {
	if s.Digest != "" {
		return s.Digest
	}
	return s.Tag
}

// String is the source as it was written.
func (s Source) String() string { return s.text }
