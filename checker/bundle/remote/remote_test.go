package remote_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/remote"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

// certificate is what the servers of these tests have, by a CA that this process
// trusts.
var certificate tls.Certificate

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "remote")
	if err == nil {
		certificate, err = issue(filepath.Join(dir, "ca.pem"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.pem"))
	os.Setenv("DOCKER_CONFIG", dir)
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	os.Setenv("HTTPS_PROXY", httptest.NewServer(http.HandlerFunc(proxy)).URL) // net/http looks once
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// issue makes a certificate for bundles.test and this machine, which is its own CA.
func issue(ca string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{"bundles.test", "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// puller fetches one source into a store of its own.
type puller struct {
	client remote.Client
	order  remote.Order
}

func newPuller(t *testing.T, source string, keys ...bundletest.Key) *puller {
	t.Helper()
	s, err := bundle.ParseSource(source)
	check(t, err)
	return &puller{remote.Client{Version: "test"}, remote.Order{Source: s, Keys: bundletest.Keys(keys...), Store: store.Store{Dir: filepath.Join(t.TempDir(), "bundles")}}}
}

func (p *puller) pull(t *testing.T) (*remote.Pulled, error) {
	t.Helper()
	return p.client.Pull(t.Context(), p.order, time.Now())
}

// kept is the revision that a launch would use.
func (p *puller) kept(t *testing.T) string {
	t.Helper()
	e, err := p.order.Store.Find(p.order.Source.String())
	check(t, err)
	_, err = p.order.Store.Read(e)
	check(t, err)
	return e.Revision.String()
}

// refused asserts that a pull fails, says all of this, and leaves revision 7.
func (p *puller) refused(t *testing.T, want ...string) {
	t.Helper()
	got, err := p.pull(t)
	if err == nil {
		t.Fatalf("it was accepted: %+v", got)
	}
	for _, w := range append(want, p.order.Source.String()+": ", "revision 7 (sha256:") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nlacks %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %v", err)
	}
	if r := p.kept(t); r != "7" {
		t.Errorf("revision %s took the place of the last good one", r)
	}
}

func TestWeb(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	archive := bundletest.Signed(t, key, "7")
	asked, sent := 0, 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Header.Get("Authorization") != "Bearer hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/acme.tar.gz" {
			http.Redirect(w, r, "/v7/acme.tar.gz", http.StatusFound)
			return
		}
		tag := fmt.Sprintf("%q", store.DigestOf(archive))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		w.Write(archive)
	})
	p := newPuller(t, s.URL+"/acme.tar.gz", key)
	if _, err := p.pull(t); err == nil || !strings.Contains(err.Error(), "it answers 401 Unauthorized: it does not let you: name a file with a bearer token") || !strings.Contains(err.Error(), "no bundle of it is kept here") {
		t.Fatal(err)
	}
	p.client.Token = "hunter2"
	got, err := p.pull(t)
	if err != nil || got.Unchanged || got.Revision.String() != "7" || got.Signer != key.Public().ID || p.kept(t) != "7" {
		t.Fatalf("%+v, %v", got, err)
	}
	got, err = p.client.Pull(t.Context(), p.order, time.Now().Add(time.Minute))
	if err != nil || !got.Unchanged || sent != 1 {
		t.Fatalf("%+v, %v: sent %d times", got, err, sent)
	}
	if e, err := p.order.Store.Find(p.order.Source.String()); err != nil || time.Until(e.Fetched) < 50*time.Second {
		t.Errorf("that it is fresh was not noted: %+v, %v", e, err)
	}
	check(t, os.WriteFile(p.order.Store.ArchiveFile(got.Digest), []byte("rotten"), 0o600))
	got, err = p.pull(t)
	if err != nil || got.Discarded == nil || !strings.Contains(got.Discarded.Error(), "is not the bundle that was kept there, and is discarded") || sent != 2 || p.kept(t) != "7" {
		t.Fatalf("%+v, %v: sent %d times", got, err, sent)
	}
	archive = bundletest.Signed(t, key, "8")
	if got, err = p.pull(t); err != nil || got.Unchanged || p.kept(t) != "8" {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	key, other := bundletest.NewKey(t, "acme"), bundletest.NewKey(t, "other")
	answer := func(w http.ResponseWriter, _ *http.Request) { w.Write(bundletest.Signed(t, key, "7")) }
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	p := newPuller(t, s.URL+"/acme.tar.gz", key)
	_, err := p.pull(t)
	check(t, err)
	sends := func(archive []byte) { answer = func(w http.ResponseWriter, _ *http.Request) { w.Write(archive) } }
	trusted := "(keys: " + key.Public().ID[:16] + ")"

	tampered := bundletest.Signed(t, key, "8")
	tampered[len(tampered)/2] ^= 1
	sends(tampered)
	p.refused(t, "the bundle "+store.DigestOf(tampered)+" is refused", trusted)
	wrong := bundletest.Signed(t, other, "8")
	sends(wrong)
	p.refused(t, "the bundle "+store.DigestOf(wrong)+" is refused", "it was signed by the key", other.Public().ID[:16], "add the publisher's new key", trusted)
	sends(bundletest.Signed(t, key, "8", func(c *bundle.Content) { c.Manifest.Expires = bundletest.Made.AddDate(0, 0, 1) }))
	p.refused(t, "it expired on 2026-01-02", "get a newer one", trusted)
	sends(bundletest.Signed(t, key, "8", func(c *bundle.Content) { c.Manifest.Created = time.Now().AddDate(1, 0, 0) }))
	p.refused(t, "it was made on", "set the clock")
	sends(bundletest.Signed(t, key, "6"))
	p.refused(t, "its revision is 6, and 7 was seen here before", "ocjail bundle pull --allow-rollback 6 "+p.order.Source.String()+")")
	sends([]byte("<html>log in</html>"))
	p.refused(t, "it is no archive that can be read", "get it anew")
	sends(make([]byte, bundle.MaxArchive+1))
	p.refused(t, "it has more than 8 MiB", "name the source of a bundle")

	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it went to another host") })
	answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }
	p.refused(t, "redirects to another host, "+elsewhere.URL+", which is not followed: name that in the source")
	answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://"+r.Host, http.StatusFound) }
	p.refused(t, "redirects to another host, http://")
	answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }
	p.refused(t, "it redirects more than 5 times")
	for status, mend := range map[int]string{401: "bearer token", 403: "bearer token", 404: "correct the source", 500: "try again later", 304: "try again later"} {
		answer = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("ETag", "x"); w.WriteHeader(status) }
		p.refused(t, fmt.Sprintf("it answers %d ", status), mend)
	}
	slow := make(chan struct{})
	defer close(slow)
	p.client.Limit = 300 * time.Millisecond
	answer = func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("\x1f"))
		w.(http.Flusher).Flush()
		select {
		case <-slow:
		case <-r.Context().Done():
		}
	}
	p.refused(t, "it took longer than 300ms", "--timeout")
	p.client.Limit = 0
	s.CloseClientConnections()
	s.Listener.Close()
	p.refused(t, "connection refused")

	// The clock is back before the bundle was made.
	sends(bundletest.Signed(t, key, "8"))
	again := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	q := newPuller(t, again.URL+"/acme.tar.gz", key)
	if _, err := q.client.Pull(t.Context(), q.order, time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "and here it is 1970-01-01T00:00:00Z: set the clock") {
		t.Error(err)
	}
	q.order.Keys = nil
	if _, err := q.pull(t); !errors.Is(err, bundle.ErrNoKeys) || !strings.Contains(err.Error(), "--key") {
		t.Error(err)
	}
}

func TestRollbackByName(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	revision := "9"
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bundletest.Signed(t, key, revision)) })
	p := newPuller(t, s.URL+"/acme.tar.gz", key)
	_, err := p.pull(t)
	check(t, err)
	revision = "7"
	p.order.Rollback, err = bundle.ParseRevision("8")
	check(t, err)
	if _, err := p.pull(t); !errors.Is(err, bundle.ErrRollback) || p.kept(t) != "9" {
		t.Errorf("another was named: %v", err)
	}
	p.order.Rollback, err = bundle.ParseRevision("7")
	check(t, err)
	if _, err := p.pull(t); err != nil || p.kept(t) != "7" {
		t.Error(err)
	}
	p.order.Rollback = bundle.Revision{}
	if _, err := p.pull(t); err != nil {
		t.Error(err)
	}
	revision = "6"
	p.refused(t, "7 was seen here before")
}

// What root noted for the machine, a user's pull does not go behind; what root rolled
// back, it does not hold on to.
func TestPullsOfUsers(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	rev := "42"
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bundletest.Signed(t, key, rev)) })
	user, root := newPuller(t, s.URL+"/acme.tar.gz", key), newPuller(t, s.URL+"/acme.tar.gz", key)
	root.order.Store.Shared = true
	user.order.Store.Root = root.order.Store.Dir
	pulls := func(p *puller, revision, rollback string) error {
		t.Helper()
		rev, p.order.Rollback = revision, bundle.Revision{}
		if rollback != "" {
			var err error
			p.order.Rollback, err = bundle.ParseRevision(rollback)
			check(t, err)
		}
		_, err := p.pull(t)
		return err
	}
	check(t, pulls(root, "42", ""))
	for _, rollback := range []string{"", "41"} {
		if err := pulls(user, "41", rollback); !errors.Is(err, bundle.ErrRollback) || !strings.Contains(err.Error(), "which root noted for this machine") || !strings.Contains(err.Error(), "revision 42 (sha256:") || !strings.Contains(err.Error(), "stays in use") {
			t.Errorf("%q: %v", rollback, err)
		}
	}
	check(t, pulls(user, "43", ""))
	check(t, pulls(root, "41", "41"))
	check(t, pulls(user, "41", ""))
	if got := user.kept(t); got != "41" {
		t.Error(got)
	}
	if err := pulls(root, "42", "41"); err == nil || !strings.Contains(err.Error(), "its revision is 42, and --allow-rollback names 41") || root.kept(t) != "41" {
		t.Errorf("root would take it for rolled back: %v", err)
	}
	if err := pulls(root, "40", ""); !errors.Is(err, bundle.ErrRollback) || !strings.Contains(err.Error(), "ocjail bundle pull --system --allow-rollback 40 ") {
		t.Error(err)
	}
}

// A proxy stands between, as HTTPS_PROXY says; nothing else knows bundles.test.
func TestProxy(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bundletest.Signed(t, key, "7")) })
	behind.Store(s.Listener.Addr().String())
	p := newPuller(t, "https://bundles.test/acme.tar.gz", key)
	if _, err := p.pull(t); err != nil || through.Load() != 1 {
		t.Fatalf("%v: %d times through the proxy", err, through.Load())
	}
}

// What the proxy of these tests leads to, and how often it did.
var (
	behind  atomic.Value
	through atomic.Int32
)

func proxy(w http.ResponseWriter, r *http.Request) {
	to, ok := behind.Load().(string)
	if !ok || r.Method != http.MethodConnect || r.Host != "bundles.test:443" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	through.Add(1)
	up, err := net.Dial("tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer up.Close()
	w.WriteHeader(http.StatusOK)
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	go io.Copy(up, buffered)
	io.Copy(down, up)
}

// A name for this machine that leads elsewhere is not spoken to in the clear, and what
// is on this machine needs no TLS.
func TestClear(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(bundletest.Signed(t, key, "7")) }))
	defer s.Close()
	p := newPuller(t, s.URL+"/acme.tar.gz", key)
	if _, err := p.pull(t); err != nil {
		t.Error(err)
	}
	for _, insecure := range []string{"http://bundles.test/a.tar.gz", "http://10.1.2.3/a.tar.gz"} {
		if _, err := bundle.ParseSource(insecure); err == nil {
			t.Errorf("%s is a source", insecure)
		}
	}
	stranger := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("it spoke to who has no certificate that is trusted")
	}))
	defer stranger.Close()
	p = newPuller(t, stranger.URL+"/acme.tar.gz", key)
	if _, err := p.pull(t); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}

func push(t *testing.T, p *puller, archive []byte) (string, error) {
	t.Helper()
	b, _, err := bundle.Inspect(archive)
	check(t, err)
	return p.client.Push(t.Context(), p.order.Source, archive, b.Manifest)
}

func TestRegistry(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	host := bundletest.Registry(t, t.TempDir(), false)
	p := newPuller(t, "oci://"+host+"/acme/policy:stable", key)
	if _, err := p.pull(t); err == nil || !strings.Contains(err.Error(), "it answers 404") || !strings.Contains(err.Error(), "have its publisher push it") {
		t.Fatal(err)
	}
	seven := bundletest.Signed(t, key, "7")
	digest, err := push(t, p, seven)
	check(t, err)
	if again, err := push(t, p, seven); err != nil || again != digest {
		t.Errorf("pushed again: %s, %v, want %s", again, err, digest)
	}
	for _, unchanged := range []bool{false, true} {
		got, err := p.pull(t)
		if err != nil || got.Unchanged != unchanged || got.Digest != store.DigestOf(seven) || p.kept(t) != "7" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	_, err = push(t, p, bundletest.Signed(t, key, "8"))
	check(t, err)
	pinned := newPuller(t, "oci://"+host+"/acme/policy@"+digest, key)
	if _, err := pinned.pull(t); err != nil || pinned.kept(t) != "7" {
		t.Error(err)
	}
	if _, err := p.pull(t); err != nil || p.kept(t) != "8" {
		t.Error(err)
	}
	_, err = push(t, p, bundletest.Signed(t, key, "6"))
	check(t, err)
	if _, err := p.pull(t); !errors.Is(err, bundle.ErrRollback) || p.kept(t) != "8" {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`: "and no bundle that ocjail bundle push put there",
		manifestOf(seven, "application/vnd.oci.image.layer.v1.tar", len(seven)):                    "it is no bundle, which has one layer of the type",
		manifestOf(seven, "application/vnd.oci.image.layer.v1.tar+gzip", 9<<20):                    "it has more than 8 MiB",
		manifestOf(seven, "application/vnd.oci.image.layer.v1.tar+gzip", len(seven)-1):             "",
	} {
		media := "application/vnd.oci.image.manifest.v1+json"
		if strings.Contains(text, "index") {
			media = "application/vnd.oci.image.index.v1+json"
		}
		r, err := http.NewRequest(http.MethodPut, "http://"+host+"/v2/acme/policy/manifests/stable", bytes.NewReader([]byte(text)))
		check(t, err)
		r.Header.Set("Content-Type", media)
		a, err := http.DefaultClient.Do(r)
		check(t, err)
		if a.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s", text, a.Status)
		}
		if _, err := p.pull(t); err == nil || !strings.Contains(err.Error(), want) || p.kept(t) != "8" {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func manifestOf(archive []byte, layer string, size int) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`, layer, store.DigestOf(archive), size)
}

// Credentials are the Docker configuration's: as they are, and by a helper.
func TestClosedRegistry(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	host := bundletest.Registry(t, t.TempDir(), true)
	p := newPuller(t, "oci://"+host+"/acme/policy:stable", key)
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	seven := bundletest.Signed(t, key, "7")
	_, err := push(t, p, seven)
	if err == nil || !strings.Contains(err.Error(), "it answers 401") || !strings.Contains(err.Error(), "docker login "+host) {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.json")
	check(t, os.WriteFile(file, fmt.Appendf(nil, `{"auths": {%q: {"username": %q, "password": "wrong"}}}`, host, bundletest.User), 0o600))
	if _, err := push(t, p, seven); err == nil || !strings.Contains(err.Error(), "docker login "+host) || strings.Contains(err.Error(), "wrong") {
		t.Error(err)
	}
	check(t, os.WriteFile(file, fmt.Appendf(nil, `{"auths": {%q: {"username": %q, "password": %q}}}`, host, bundletest.User, bundletest.Password), 0o600))
	_, err = push(t, p, seven)
	check(t, err)
	check(t, os.WriteFile(file, fmt.Appendf(nil, `{"credHelpers": {%q: "acme"}}`, host), 0o600))
	helper := fmt.Sprintf("#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"%s\"}'\n", host, bundletest.User, bundletest.Password)
	check(t, os.WriteFile(filepath.Join(dir, "docker-credential-acme"), []byte(helper), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	if _, err := p.pull(t); err != nil || p.kept(t) != "7" {
		t.Error(err)
	}
	check(t, os.WriteFile(file, fmt.Appendf(nil, `{"credHelpers": {%q: "nosuch"}}`, host), 0o600))
	p.refused(t, "docker-credential-nosuch", "install that helper, or link it, in one of "+os.Getenv("PATH")+", or take it out of the Docker configuration (credsStore and credHelpers of")
	check(t, os.WriteFile(file, []byte("{"), 0o600))
	p.refused(t, "the Docker configuration, for credentials")
}

// A registry may keep blobs elsewhere; nobody else is sent the password.
func TestRegistrysBlobsElsewhere(t *testing.T) {
	key := bundletest.NewKey(t, "acme")
	seven := bundletest.Signed(t, key, "7")
	blobs := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("credentials went to another host")
		}
		w.Write(seven)
	})
	manifest := []byte(manifestOf(seven, "application/vnd.oci.image.layer.v1.tar+gzip", len(seven)))
	elsewhere := ""
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		switch {
		case !ok || user != bundletest.User || password != bundletest.Password:
			w.Header().Set("WWW-Authenticate", `Basic realm="acme"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		default:
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", store.DigestOf(manifest))
			w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
			if r.Method == http.MethodGet {
				w.Write(manifest)
			}
		}
	}))
	defer front.Close()
	host := strings.TrimPrefix(front.URL, "http://")
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	check(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths": {%q: {"username": %q, "password": %q}}}`, host, bundletest.User, bundletest.Password), 0o600))
	p := newPuller(t, "oci://"+host+"/acme/policy:stable", key)
	for _, elsewhere = range []string{"http://bundles.test/blob", "http://127.0.0.1:1/blob"} {
		if _, err := p.pull(t); err == nil || !strings.Contains(err.Error(), "redirects to another host") {
			t.Error(err)
		}
	}
	elsewhere = blobs.URL + "/blob"
	if _, err := p.pull(t); err != nil || p.kept(t) != "7" {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.client.Pull(ctx, p.order, time.Now()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	late := errors.New("the sources before took too long")
	ctx, cancel = context.WithTimeoutCause(t.Context(), 0, late)
	defer cancel()
	if _, err := p.client.Pull(ctx, p.order, time.Now()); !errors.Is(err, late) || p.kept(t) != "7" {
		t.Error(err)
	}
}
