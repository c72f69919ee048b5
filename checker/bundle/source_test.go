package bundle_test

import (
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

func TestSources(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for _, s := range []string{
		"oci://ghcr.io/acme/policy:stable", "oci://127.0.0.1:5000/p:1", "oci://[::1]:5000/p:1", "oci://ghcr.io/acme/policy@" + digest,
		"https://acme.example/policy/acme.tar.gz", "https://acme.example/get?id=7", "http://127.0.0.1:8080/acme.tar.gz", "http://localhost/acme.tar.gz",
	} {
		got, err := bundle.ParseSource(s)
		if err != nil || got.String() != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
		if local := strings.Contains(s, "127.0.0.1") || strings.Contains(s, "localhost") || strings.Contains(s, "[::1]"); got.Local() != local {
			t.Errorf("%s: local: %v", s, !local)
		}
	}
	for s, want := range map[string]string{
		"http://acme.example/acme.tar.gz":                "http:// is for this machine alone",
		"http://127.0.0.1.acme.example/acme.tar.gz":      "http:// is for this machine alone",
		"http://10.0.0.1/acme.tar.gz":                    "http:// is for this machine alone",
		"ftp://acme.example/acme.tar.gz":                 `the scheme "ftp" is not known`,
		"file:///etc/acme.tar.gz":                        "it names no host",
		"https://user:hunter2@acme.example/a":            "leave user and password out",
		"oci://user:hunter2@acme.example/a:1":            "leave user and password out",
		"https://acme.example":                           "it names no file",
		"https://acme.example/":                          "it names no file",
		"https://acme.example/a#b":                       "it has a fragment",
		"https://acme.example/a b":                       "it has a fragment, or characters",
		"https://:443/a":                                 "it names no host",
		"oci://ghcr.io":                                  "it names no repository",
		"oci://ghcr.io/Acme/policy:1":                    "it names no repository",
		"oci://ghcr.io/acme/../policy:1":                 "it names no repository",
		"oci://ghcr.io/acme/policy:1?x=y":                "it names no repository",
		"oci://ghcr.io/acme/policy":                      "it names no tag",
		"oci://ghcr.io/acme/policy:":                     "it names no tag",
		"oci://ghcr.io/acme/policy:a/b":                  "it names no",
		"oci://ghcr.io/acme/policy@sha256:1234":          "it names no digest",
		"oci://ghcr.io/acme/policy:1@" + digest:          "it names no digest",
		"oci://ghcr.io/acme/policy@md5:00":               "it names no digest",
		"oci:ghcr.io/acme":                               "it names no host",
		"https://%zz/":                                   "it is no URL",
		"https://a.example/" + strings.Repeat("a", 1000): "it is no URL",
	} {
		got, err := bundle.ParseSource(s)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.60s: %v, %v, want %q", s, got, err, want)
		}
	}
}
