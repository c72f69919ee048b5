package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/builder"
)

var made = time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)

func content() bundle.Content {
	revision, err := bundle.ParseRevision("7")
	if err != nil {
		panic(err)
	}
	return bundle.Content{
		Manifest: bundle.Manifest{Revision: revision, Roots: []string{"acme"}, Created: made, Rules: []bundle.Rule{{ID: "acme/deny", Title: "<x>", Severity: "error"}}},
		Rules:    map[string][]byte{"acme.rego": []byte("package acme\n"), "sub/deep.rego": []byte("package acme.deep\n")},
		Data:     map[string]any{"acme": map[string]any{"hosts": []any{"a&b", 1.5, nil}}},
		Config:   []byte("rule \"net/host-network\" {\n  severity = \"error\"\n}\n"),
	}
}

func write(t testing.TB, c bundle.Content) []byte {
	t.Helper()
	archive, err := bundle.Write(c)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// newKey makes a key pair of an algorithm.
func newKey(t testing.TB, algorithm string) bundle.Signer {
	t.Helper()
	var key any
	var err error
	if algorithm == bundle.ES256 {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := builder.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, archive []byte, key bundle.Signer) []byte {
	t.Helper()
	signed, err := bundle.Sign(archive, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func trust(keys ...bundle.Signer) bundle.Trust {
	t := bundle.Trust{Now: made.Add(time.Minute), Version: "1.2.0"}
	for _, k := range keys {
		t.Keys = append(t.Keys, k.Public())
	}
	return t
}

func unsigned() bundle.Trust {
	t := trust()
	t.Unsigned = true
	return t
}

// entries are an archive's files, in order.
func entries(t testing.TB, archive []byte) []entry {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{*h, string(text)})
	}
}

type entry struct {
	header tar.Header
	text   string
}

func file(name, text string) entry {
	return entry{tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}, text}
}

// archive packs whatever it is told to.
func archive(t testing.TB, all ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, e := range all {
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// replaced is an archive with one file's text changed.
func replaced(t testing.TB, from []byte, name string, change func(string) string) []byte {
	t.Helper()
	all := entries(t, from)
	i := slices.IndexFunc(all, func(e entry) bool { return e.header.Name == name })
	if i < 0 {
		t.Fatalf("no %s", name)
	}
	all[i] = file(name, change(all[i].text))
	return archive(t, all...)
}

func TestRoundTrip(t *testing.T) {
	for _, algorithm := range []string{bundle.ES256, bundle.EdDSA} {
		key, c := newKey(t, algorithm), content()
		signed := sign(t, write(t, c), key)
		b, err := bundle.Open(signed, trust(newKey(t, bundle.EdDSA), key, newKey(t, bundle.ES256)))
		if err != nil {
			t.Fatal(err)
		}
		if b.Signer != key.Public().ID || b.Manifest.Revision.String() != "7" || string(b.Config) != string(c.Config) || !b.Manifest.Created.Equal(made) {
			t.Errorf("%+v", b)
		}
		if got := slices.Sorted(maps.Keys(b.Files)); !slices.Equal(got, []string{"acme.rego", "data/acme.json", "sub/deep.rego"}) {
			t.Errorf("files %v", got)
		}
		if got := string(b.Files["data/acme.json"]); got != `{"hosts":["a&b",1.5,null]}` {
			t.Errorf("data %s", got)
		}
		// The same again gives the same bytes, also from what is signed already.
		if again := sign(t, sign(t, write(t, content()), newKey(t, bundle.EdDSA)), key); !bytes.Equal(again, signed) {
			t.Error("signing anew gives another archive")
		}
	}
}

// jws is a signature with any header, by any means.
func jws(t testing.TB, all []entry, header map[string]any, digest string, by func([]byte) []byte) entry {
	t.Helper()
	var files []map[string]string
	for _, e := range all {
		if e.header.Name != ".signatures.json" {
			files = append(files, map[string]string{"name": e.header.Name, "hash": fmt.Sprintf("%x", sha256.Sum256([]byte(e.text))), "algorithm": digest})
		}
	}
	encode := func(v any) string {
		doc, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(doc)
	}
	message := encode(header) + "." + encode(map[string]any{"files": files})
	doc, err := json.Marshal(map[string]any{"signatures": []string{message + "." + base64.RawURLEncoding.EncodeToString(by([]byte(message)))}})
	if err != nil {
		t.Fatal(err)
	}
	return file(".signatures.json", string(doc))
}

// Each kind of bad bundle is refused by name, and says what to do. The same
// bundle unharmed is taken: TestRoundTrip.
func TestRefusals(t *testing.T) {
	key := newKey(t, bundle.EdDSA)
	plain := write(t, content())
	signed := sign(t, plain, key)
	by := func(m []byte) []byte {
		s, err := key.Sign(m)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	forged := func(header map[string]any, digest string, by func([]byte) []byte) []byte {
		all := entries(t, plain)
		return archive(t, append(all, jws(t, all, header, digest, by))...)
	}
	more := func(e ...entry) []byte { return archive(t, append(entries(t, signed), e...)...) }
	changed := func(c func(*bundle.Content)) []byte {
		x := content()
		c(&x)
		return sign(t, write(t, x), key)
	}
	revision := func(s string) bundle.Revision {
		r, err := bundle.ParseRevision(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	at := func(d time.Duration) bundle.Trust {
		x := trust(key)
		x.Now = made.Add(d)
		return x
	}
	least, seen := trust(key), trust(key)
	least.Least, seen.Seen, seen.Source = revision("8"), revision("8"), "acme.tar.gz"
	version := func(v string) bundle.Trust {
		x := trust(key)
		x.Version = v
		return x
	}
	expiring := changed(func(c *bundle.Content) { c.Manifest.Expires = made.Add(time.Hour) })
	needy := changed(func(c *bundle.Content) { c.Manifest.Ocjail = "1.10.0" })
	eddsa := map[string]any{"alg": "EdDSA"}
	for name, c := range map[string]struct {
		archive []byte
		trust   bundle.Trust
		reason  error
		want    string // in the message
	}{
		"unsigned":    {plain, trust(key), bundle.ErrUnsigned, "ocjail bundle sign"},
		"no key":      {signed, trust(), bundle.ErrNoKeys, "in keys"},
		"another key": {signed, trust(newKey(t, bundle.EdDSA), newKey(t, bundle.ES256)), bundle.ErrSignature, key.Public().ID[:16]},
		"none":        {forged(map[string]any{"alg": "none"}, "SHA-256", func([]byte) []byte { return nil }), trust(key), bundle.ErrAlgorithm, `"none"`},
		"HS256, the public ID": {forged(map[string]any{"alg": "HS256"}, "SHA-256", func(m []byte) []byte {
			h := hmac.New(sha256.New, []byte(key.Public().ID))
			h.Write(m)
			return h.Sum(nil)
		}), trust(key), bundle.ErrAlgorithm, `"HS256"`},
		"RS1": {forged(map[string]any{"alg": "RS1"}, "SHA-256", func(m []byte) []byte {
			s, err := rsaKey.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}), trust(key), bundle.ErrAlgorithm, `"RS1"`},
		"ES256 by an EdDSA key": {forged(map[string]any{"alg": "ES256"}, "SHA-256", by), trust(key), bundle.ErrSignature, "trusted"},
		"brings its key":        {forged(map[string]any{"alg": "EdDSA", "jwk": map[string]string{"kty": "OKP"}}, "SHA-256", by), trust(key), bundle.ErrMalformed, "jwk"},
		"critical extension":    {forged(map[string]any{"alg": "EdDSA", "crit": []string{"b64"}, "b64": false}, "SHA-256", by), trust(key), bundle.ErrMalformed, "signature"},
		"MD5 digests":           {forged(eddsa, "MD5", by), trust(key), bundle.ErrAlgorithm, "MD5"},
		"two signatures": {replaced(t, signed, ".signatures.json", func(s string) string {
			return strings.Replace(s, `["`, `["a.b.c","`, 1)
		}), trust(key), bundle.ErrMalformed, "one signature"},
		"another plugin": {replaced(t, signed, ".signatures.json", func(s string) string {
			return strings.Replace(s, `{`, `{"plugin":"mine",`, 1)
		}), trust(key), bundle.ErrMalformed, "plugin"},
		"manifest's key twice": {replaced(t, signed, ".manifest", func(s string) string { return strings.Replace(s, `"revision"`, `"revision":"99","revision"`, 1) }), trust(key), bundle.ErrMalformed, "twice in an object"},
		"malleable base64":     {replaced(t, signed, ".signatures.json", func(s string) string { return strings.Replace(s, `"]`, `="]`, 1) }), trust(key), bundle.ErrMalformed, "sign it anew"},
		"changed file":         {replaced(t, signed, "acme.rego", func(s string) string { return s + "#" }), trust(key), bundle.ErrTampered, "acme.rego"},
		"changed manifest":     {replaced(t, signed, ".manifest", func(s string) string { return strings.Replace(s, `"7"`, `"9"`, 1) }), trust(key), bundle.ErrTampered, ".manifest"},
		"changed data":         {replaced(t, signed, "data.json", func(s string) string { return strings.Replace(s, "null", "1", 1) }), trust(key), bundle.ErrTampered, "data.json"},
		"changed config":       {replaced(t, signed, "ocjail.hcl", func(string) string { return "" }), trust(key), bundle.ErrTampered, "ocjail.hcl"},
		"extra file":           {more(file("more.rego", "package more\n")), trust(key), bundle.ErrTampered, "more.rego in it was not signed"},
		"missing file": {archive(t, slices.DeleteFunc(entries(t, signed), func(e entry) bool { return e.header.Name == "acme.rego" })...),
			trust(key), bundle.ErrTampered, "acme.rego"},
		"twice":                   {more(file("acme.rego", "package acme\n")), trust(key), bundle.ErrMalformed, "acme.rego is in it twice"},
		"two signature files":     {more(file(".signatures.json", "{}")), trust(key), bundle.ErrMalformed, "twice"},
		"two manifests":           {more(file(".manifest", "{}")), trust(key), bundle.ErrMalformed, "twice"},
		"traversal":               {more(file("../../etc/x.rego", "")), trust(key), bundle.ErrMalformed, "leads out"},
		"traversal, hidden":       {more(file("a/../../x.rego", "")), trust(key), bundle.ErrMalformed, "leads out"},
		"absolute":                {more(file("/etc/x.rego", "")), trust(key), bundle.ErrMalformed, "leads out"},
		"unclean":                 {more(file("./x.rego", "")), trust(key), bundle.ErrMalformed, "no clean path"},
		"control character":       {more(file("x\x1b[2J.rego", "")), trust(key), bundle.ErrMalformed, `\x1b`},
		"backslash":               {more(file(`..\x.rego`, "")), trust(key), bundle.ErrMalformed, "characters"},
		"file and folder":         {more(file("acme.rego/x.rego", "")), trust(key), bundle.ErrMalformed, "folder"},
		"symbolic link":           {more(entry{tar.Header{Name: "x.rego", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""}), trust(key), bundle.ErrMalformed, "no regular file"},
		"hard link":               {more(entry{tar.Header{Name: "x.rego", Typeflag: tar.TypeLink, Linkname: "acme.rego"}, ""}), trust(key), bundle.ErrMalformed, "no regular file"},
		"device":                  {more(entry{tar.Header{Name: "x.rego", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5}, ""}), trust(key), bundle.ErrMalformed, "no regular file"},
		"FIFO":                    {more(entry{tar.Header{Name: "x.rego", Typeflag: tar.TypeFifo}, ""}), trust(key), bundle.ErrMalformed, "no regular file"},
		"folder entry":            {more(entry{tar.Header{Name: "x/", Typeflag: tar.TypeDir}, ""}), trust(key), bundle.ErrMalformed, "x"},
		"PAX records":             {more(entry{tar.Header{Name: "x.rego", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"VENDOR.a": "b"}, Format: tar.FormatPAX}, ""}), trust(key), bundle.ErrMalformed, "x.rego"},
		"after the archive":       {append(slices.Clone(signed), 'x'), trust(key), bundle.ErrMalformed, "follows the end"},
		"two archives":            {slices.Concat(signed, signed), trust(key), bundle.ErrMalformed, "follows the end"},
		"cut short":               {signed[:len(signed)-20], trust(key), bundle.ErrNoArchive, "get it anew"},
		"no archive":              {[]byte("<html>"), trust(key), bundle.ErrNoArchive, "no archive"},
		"nothing":                 {nil, trust(key), bundle.ErrNoArchive, "no archive"},
		"a bomb":                  {archive(t, file("x.rego", strings.Repeat("\x00", 15<<20))), trust(key), bundle.ErrTooLarge, "expands to more than"},
		"large":                   {bytes.Repeat([]byte{1}, bundle.MaxArchive+1), trust(key), bundle.ErrTooLarge, "8 MiB"},
		"many files":              {archive(t, many(2001)...), trust(key), bundle.ErrTooLarge, "2000 files"},
		"long configuration":      {sign(t, archive(t, append(entries(t, plain)[:2], file("ocjail.hcl", strings.Repeat("#x\n", 1<<19)))...), key), trust(key), bundle.ErrTooLarge, "no configuration"},
		"no manifest":             {archive(t, file("x.rego", "")), trust(key), bundle.ErrMalformed, "no .manifest"},
		"expired":                 {expiring, at(time.Hour), bundle.ErrExpired, "expired on 2026-11-26T02:00:00Z"},
		"from the future":         {signed, at(-24 * time.Hour), bundle.ErrFuture, "set the clock"},
		"older than asked for":    {signed, least, bundle.ErrOld, "its revision is 7, and at least 8 was asked for"},
		"older than one seen":     {signed, seen, bundle.ErrRollback, "8 was seen here before: get that or a newer one, or allow the older one by name (ocjail bundle pull --allow-rollback 7 acme.tar.gz)"},
		"needs a newer ocjail":    {needy, version("1.9.5"), bundle.ErrVersion, "needs ocjail 1.10.0"},
		"ocjail before a release": {needy, version("1.10.0-rc1"), bundle.ErrVersion, "no release"},
		"ocjail of no release":    {needy, version("1234567"), bundle.ErrVersion, "no release"},
		"developed ocjail":        {needy, version("devel"), bundle.ErrVersion, `"devel"`},
		"plan without Rego":       {signedBy(t, key, file("ocjail.plan", "")), trust(key), bundle.ErrMalformed, "ocjail.plan"},
		"unknown file":            {signedBy(t, key, file("README.md", "")), trust(key), bundle.ErrMalformed, "README.md"},
		"tests":                   {signedBy(t, key, file("x_test.rego", "")), trust(key), bundle.ErrMalformed, "x_test.rego"},
		"data deeper":             {signedBy(t, key, file("a/data.json", "{}")), trust(key), bundle.ErrMalformed, "a/data.json"},
		"signature deeper":        {signedBy(t, key, file("a/.signatures.json", "{}")), trust(key), bundle.ErrMalformed, "a/.signatures.json"},
		"JSON alone":              {signedBy(t, key, file("a.json", "{}")), trust(key), bundle.ErrMalformed, "a.json"},
		"data no object":          {signedBy(t, key, file("data.json", "[]")), trust(key), bundle.ErrMalformed, "no object"},
		"data's odd name":         {signedBy(t, key, file("data.json", `{"a/b": 1}`)), trust(key), bundle.ErrMalformed, "a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bundle.Open(c.archive, c.trust)
			if !errors.Is(err, c.reason) || !strings.Contains(fmt.Sprint(err), c.want) || !strings.Contains(fmt.Sprint(err), ": ") && !strings.Contains(fmt.Sprint(err), "; ") {
				t.Errorf("error %v, want %v with %q", err, c.reason, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		archive []byte
		trust   bundle.Trust
	}{
		"signed, and nobody asks": {signed, unsigned()},
		"unsigned":                {plain, unsigned()},
		"not yet expired":         {expiring, at(time.Hour - time.Second)},
		"slow clock":              {signed, at(-time.Hour)},
		"new enough":              {needy, version("v1.10.0-3-gabcdef-dirty")},
		"same revision":           {signed, func() bundle.Trust { x := trust(key); x.Least, x.Seen = revision("7.0"), revision("7.0"); return x }()},
		"forged, but honest":      {forged(eddsa, "SHA-256", by), trust(key)},
	} {
		if _, err := bundle.Open(c.archive, c.trust); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// signedBy is a bundle whose publisher signed a file that no builder writes.
func signedBy(t testing.TB, key bundle.Signer, e entry) []byte {
	t.Helper()
	c := content()
	c.Rules, c.Config, c.Data = nil, nil, nil
	return sign(t, archive(t, append(entries(t, write(t, c)), e)...), key)
}

func many(n int) []entry {
	all := make([]entry, n)
	for i := range all {
		all[i] = file(fmt.Sprintf("r%d.rego", i), "")
	}
	return all
}

// A manifest whose text was changed and whose value was not is what was signed, and
// is read as its value.
func TestSpaceIsNotSigned(t *testing.T) {
	key := newKey(t, bundle.EdDSA)
	signed := sign(t, write(t, content()), key)
	odd := replaced(t, signed, ".manifest", func(s string) string { return "\n{ " + s[1:] })
	b, err := bundle.Open(odd, trust(key))
	if err != nil || b.Manifest.Revision.String() != "7" || !b.Manifest.Expires.IsZero() {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestManifests(t *testing.T) {
	for text, want := range map[string]string{
		`{"revision": "1", "roots": [""]}`:                                                                                                  "no metadata",
		`{"revision": "1", "rego_version": 1, "metadata": {"ocjail": {"format": 2}}}`:                                                       "format is 2",
		`{"revision": "1", "rego_version": 0, "metadata": {"ocjail": {"format": 1}}}`:                                                       "rego_version 0",
		`{"revision": "x", "rego_version": 1, "metadata": {"ocjail": {"format": 1}}}`:                                                       `revision "x"`,
		`{"rego_version": 1, "metadata": {"ocjail": {"format": 1}}}`:                                                                        "no revision",
		`{"revision": "1", "rego_version": 1, "metadata": {"ocjail": {"format": 1}, "x": 1}}`:                                               "unknown field",
		`{"revision": "1", "rego_version": 1, "metadata": {"ocjail": {"format": 1, "more": 1}}}`:                                            "unknown field",
		`{"revision": "1", "rego_version": 1, "metadata": {"ocjail": {"format": 1}}}`:                                                       "parsing time",
		`{"revision": "1", "rego_version": 1, "metadata": {"OCJAIL": {"format": 1}, "ocjail": null}}`:                                       "no metadata",
		`{"revision": "1", "rego_version": 1, "metadata": {"ocjail": {"format": 1, "created": "2026-11-26T01:00:00Z", "expires": "soon"}}}`: "parsing time",
		`{"revision": "1", "rego_version": 1, "metadata": {"ocjail": {"format": 1, "created": "2026-11-26T01:00:00Z", "ocjail": "new"}}}`:   "no release",
		`[]`: "manifest", `{} {}`: "more than one", ``: "no JSON",
	} {
		_, err := bundle.Open(archive(t, file(".manifest", text)), unsigned())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestRevisions(t *testing.T) {
	order := []string{"0", "0.0.0.1", "1", "1.2", "1.10", "2", "10", "20261126", "9223372036854775807"}
	for i, a := range order {
		for j, b := range order {
			ra, err := bundle.ParseRevision(a)
			if err != nil {
				t.Fatal(err)
			}
			rb, err := bundle.ParseRevision(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := ra.Compare(rb); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s, %s: %d", a, b, got)
			}
		}
	}
	for _, bad := range []string{"", ".", "1.", "01", "+1", "-1", "1.0-rc1", "v1", "1.2.3.4.5", "9223372036854775808", "١", " 1"} {
		if _, err := bundle.ParseRevision(bad); err == nil || !strings.Contains(err.Error(), "as in 42") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What is flipped anywhere in a signed bundle is found, or changes nothing.
func TestFlippedBits(t *testing.T) {
	key := newKey(t, bundle.EdDSA)
	signed := sign(t, write(t, content()), key)
	want, err := bundle.Open(signed, trust(key))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		bad := slices.Clone(signed)
		for range rapid.IntRange(1, 3).Draw(r, "flips") {
			bad[rapid.IntRange(0, len(bad)-1).Draw(r, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		}
		same(r, bad, want, trust(key))
	})
}

// same fails when an archive is taken and is not what was signed.
func same(t interface{ Fatalf(string, ...any) }, archive []byte, want *bundle.Bundle, with bundle.Trust) {
	got, err := bundle.Open(archive, with)
	if err != nil {
		return
	}
	if !maps.EqualFunc(got.Files, want.Files, bytes.Equal) || !bytes.Equal(got.Config, want.Config) || fmt.Sprint(got.Manifest) != fmt.Sprint(want.Manifest) {
		t.Fatalf("taken, and not what was signed: %+v", got)
	}
}

func TestKeys(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bundle.ParseKeys([]byte(public(ed) + "\n" + public(p256.Public())))
	if err != nil || len(keys) != 2 || keys[0].Algorithm != bundle.EdDSA || keys[1].Algorithm != bundle.ES256 {
		t.Errorf("%v, %v", keys, err)
	}
	for text, want := range map[string]string{
		"":                            "empty",
		"ssh-ed25519 AAAA":            "no public key",
		public(p384.Public()):         "neither P-256",
		public(ed) + "x":              "no PEM follows",
		strings.Repeat(public(ed), 9): "more than 8",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n": "not PUBLIC KEY",
	} {
		if _, err := bundle.ParseKeys([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := newKey(f, bundle.EdDSA)
	plain := write(f, content())
	signed := sign(f, plain, key)
	want, err := bundle.Open(signed, trust(key))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add(signed)
	f.Add(archive(f, file(".manifest", `{"metadata": {"OCJAIL": {"format": 1}, "ocjail": null}}`)))
	f.Add(archive(f, entry{tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "y"}, ""}))
	f.Fuzz(func(t *testing.T, data []byte) {
		same(t, data, want, trust(key))
		if b, err := bundle.Open(data, unsigned()); err == nil {
			if _, err := bundle.Sign(data, key); err != nil {
				t.Errorf("%+v can be opened and not be signed: %v", b.Manifest, err)
			}
		}
		// The same as the content of an archive, where gzip's checksum is no hurdle.
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(data)
		w.Close()
		same(t, z.Bytes(), want, trust(key))
		bundle.Open(z.Bytes(), unsigned())
	})
}

// The texts of a bundle, where neither gzip nor tar is a hurdle.
func FuzzTexts(f *testing.F) {
	key := newKey(f, bundle.EdDSA)
	signed := sign(f, write(f, content()), key)
	want, err := bundle.Open(signed, trust(key))
	if err != nil {
		f.Fatal(err)
	}
	texts := map[string]string{}
	for _, e := range entries(f, signed) {
		texts[e.header.Name] = e.text
	}
	f.Add(texts[".manifest"], texts[".signatures.json"], texts["data.json"], "acme.rego")
	f.Add(`{"metadata": {"OCJAIL": {"format": 1}, "ocjail": null}}`, `{"signatures": ["e30.e30."]}`, `{"a/b": 1}`, "../x")
	f.Fuzz(func(t *testing.T, manifest, signatures, data, name string) {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		w := tar.NewWriter(z)
		for name, text := range map[string]string{
			".manifest": manifest, ".signatures.json": signatures, "data.json": data, name: texts["acme.rego"],
			"sub/deep.rego": texts["sub/deep.rego"], "ocjail.hcl": texts["ocjail.hcl"],
		} {
			if w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}) != nil {
				return // no name for a file
			}
			io.WriteString(w, text)
		}
		if errors.Join(w.Close(), z.Close()) != nil {
			return
		}
		same(t, out.Bytes(), want, trust(key))
		bundle.Inspect(out.Bytes())
		if b, err := bundle.Open(out.Bytes(), unsigned()); err == nil {
			if _, err := bundle.Sign(out.Bytes(), key); err != nil {
				t.Errorf("%+v can be opened and not be signed: %v", b.Manifest, err)
			}
		}
	})
}

// The day that a publisher writes is the day that people are shown.
func TestLastDay(t *testing.T) {
	day := time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]string{
		day: "2027-03-01", day.In(time.FixedZone("", 3600)): "2027-03-01", day.Add(time.Hour): "2027-03-02T01:00:00Z", day.AddDate(0, 0, -1): "2027-02-28",
	} {
		if got := bundle.LastDay(at); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}
