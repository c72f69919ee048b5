//go:build linux

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// hostile is what stands between ocjail and the host that it asks: a proxy that shows a
// certificate of its own, and notes the credentials that it is sent. While it answers
// it leads what lies in a folder for temporary files elsewhere.
type hostile struct {
	files          http.Handler
	certificate    tls.Certificate
	seen           string // a file
	tmp, elsewhere string
}

// serveHostile has one serve a folder until the script's end: hostile DIR. $PROXY is its
// address, ca.pem its certificate, seen the credentials; project/tmp is the folder, and
// victim where its files are led.
func serveHostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hostile DIR")
	}
	h := &hostile{
		files: http.FileServer(http.Dir(ts.MkAbs(args[0]))),
		seen:  filepath.Join(ts.Getenv("WORK"), "seen"), tmp: filepath.Join(ts.Getenv("WORK"), "project/tmp/*/*"), elsewhere: filepath.Join(ts.Getenv("WORK"), "victim"),
	}
	ts.Check(h.issue(filepath.Join(ts.Getenv("WORK"), "ca.pem"), "policy.acme.example"))
	s := httptest.NewServer(h)
	ts.Defer(s.Close)
	ts.Setenv("PROXY", s.URL)
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		h.intercept(w)
		return
	}
	if sent := r.Header.Get("Authorization"); sent != "" {
		_ = os.WriteFile(h.seen, []byte(sent+"\n"), 0o600) // the script misses it
	}
	found, _ := filepath.Glob(h.tmp) // the pattern is right
	for _, name := range found {
		_ = os.Remove(name)
		_ = os.Symlink(h.elsewhere, name) // the script looks at what comes of it
	}
	h.files.ServeHTTP(w, r)
}

// intercept answers in the place of the host.
func (h *hostile) intercept(w http.ResponseWriter) {
	raw, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer raw.Close()
	fmt.Fprint(raw, "HTTP/1.1 200 OK\r\n\r\n")
	conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{h.certificate}})
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return // it does not trust the certificate
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	_ = answer.Result().Write(conn) // who asked notices
	_ = conn.Close()
}

func (h *hostile) issue(file, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		return err
	}
	h.certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}
