// Package worker has rules from elsewhere than the embedded pack judged by
// another program: ocjail-rules, which has OPA in it, or, where all of them are in
// WebAssembly and none needs OPA, ocjail-wasm, which starts sooner. A launch without such
// rules pays nothing for it, and what strangers wrote is evaluated in a process that
// has no descriptor, no environment and bounded memory.
package worker

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Protocol is the version of these messages. They go through the standard input
// and output of the program, each as four bytes of length, most significant
// first, and JSON: the worker's Hello and, without waiting for it, the client's Handover
// and Load, which the contents of the files follow as they are; the
// worker's Loaded; then a policy input for each Verdict. Before a Loaded or a
// Verdict there may be some that say nothing but At.
const Protocol = 4

// maxMessage bounds a message, in bytes.
const maxMessage = 64 << 20

// Hello says who the worker is. The client refuses another build than its own.
type Hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	Pack     string `json:"pack"` // SHA-256 of the compiled pack, in hexadecimal
}

// Load hands over the rules.
type Load struct {
	Protocol  int      `json:"protocol"`
	Sources   []Source `json:"sources"`
	TimeLimit int64    `json:"time_limit_ns"` // of one evaluation
}

// Handover gives the worker the rules' cache.
type Handover struct {
	// CacheKey is its key, and descriptor CacheFD its folder; nil for no cache.
	CacheKey []byte `json:"cache_key,omitempty"`
}

// CacheFD is the descriptor of the cache's folder, the only one that the worker is
// given besides its pipes.
const CacheFD = 3

// Source is an engine.Source, read.
type Source struct {
	Name  string            `json:"name"`
	Files map[string][]byte `json:"files"`
	Layer string            `json:"layer,omitempty"`
	// Bundle is engine.Source's.
	Bundle string `json:"bundle,omitempty"`
}

// Loaded names the rules of the sources, or says what is wrong with them.
type Loaded struct {
	At    string        `json:"at,omitempty"` // the module that is being loaded
	Rules []engine.Rule `json:"rules,omitempty"`
	// Reads are the parts of the policy input that the rules read, sorted, and all
	// that they are given beside its version; nil when they may read everything.
	Reads []string `json:"reads"`
	Notes []string `json:"notes,omitempty"` // what went wrong with the cache
	Error string   `json:"error,omitempty"`
	// Elsewhere says that the error is none where OPA is linked, perhaps.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// Verdict is what the rules found, or why there is no verdict.
type Verdict struct {
	At       string            `json:"at,omitempty"` // the module that is about to judge
	Findings []finding.Finding `json:"findings"`
	Error    string            `json:"error,omitempty"`
	// Elsewhere is as in Loaded.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// Send writes one message.
func Send(w io.Writer, message any) error {
	doc, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return send(w, doc)
}

func send(w io.Writer, doc []byte) error {
	if len(doc) > maxMessage {
		return fmt.Errorf("message of %d bytes: more than %d", len(doc), maxMessage)
	}
	_, err := w.Write(appendMessage(nil, doc))
	return err
}

func appendMessage(to, doc []byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(doc))), doc...)
}

// ReceiveRaw reads one message. io.EOF says that there is none.
func ReceiveRaw(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxMessage {
		return nil, fmt.Errorf("message of %d bytes: more than %d", n, maxMessage)
	}
	// What comes is believed, not what is announced: memory grows with it.
	var doc bytes.Buffer
	doc.Grow(min(int(n), reserved) + bytes.MinRead)
	if _, err := io.CopyN(&doc, r, int64(n)); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return doc.Bytes(), nil
}

// Receive reads one message; what it does not know is an error.
func Receive(r io.Reader, message any) error {
	doc, err := ReceiveRaw(r)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(message); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value in a message")
	}
	return nil
}

// Fetched is what ocjail-rules says of a bundle that it has fetched into a file.
type Fetched struct {
	Archive []byte `json:"archive,omitempty"` // which nobody has verified
	Mark    string `json:"mark"`              // see store.Entry
	Error   string `json:"error,omitempty"`   // why there is none
}
