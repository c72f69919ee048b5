package bundle

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// signatures is .signatures.json
// (https://www.openpolicyagent.org/docs/management-bundles#signature-format).
type signatures struct {
	Signatures []string `json:"signatures"`
	Plugin     string   `json:"plugin,omitempty"`
}

// header is what a signature says of itself. No other field is understood, least of
// all one that would bring a key along.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid,omitempty"`
	Type      string `json:"typ,omitempty"`
}

// payload is what was signed. KeyID, IssuedAt and Issuer are OPA's, and mean nothing
// here.
type payload struct {
	Files    []signedFile `json:"files"`
	KeyID    string       `json:"keyid,omitempty"`
	Scope    string       `json:"scope,omitempty"`
	IssuedAt int64        `json:"iat,omitempty"`
	Issuer   string       `json:"iss,omitempty"`
}

type signedFile struct {
	Name      string `json:"name"`
	Hash      string `json:"hash"`
	Algorithm string `json:"algorithm"`
}

// sha256Name is the one digest that is accepted.
const sha256Name = "SHA-256"

// base is strict: one signature has one text.
var base = base64.RawURLEncoding.Strict()

// verify returns the key that signed the files, all of them and no others.
func verify(text []byte, files map[string][]byte, keys []Key) (signer Key, err error) {
	var s signatures
	if err := decode(text, &s); err != nil {
		return Key{}, unreadable(err.Error())
	}
	if len(s.Signatures) != 1 || s.Plugin != "" && s.Plugin != "_default" {
		return Key{}, unreadable("it must hold one signature, of no plugin")
	}
	words := strings.SplitN(s.Signatures[0], ".", 4)
	if len(words) != 3 {
		return Key{}, unreadable("it is no JWS in compact form")
	}
	var parts [3][]byte
	for i, w := range words {
		if parts[i], err = base.DecodeString(w); err != nil {
			return Key{}, unreadable(err.Error())
		}
	}
	var h header
	if err := decode(parts[0], &h); err != nil {
		return Key{}, unreadable("header: " + err.Error())
	}
	if h.Algorithm != ES256 && h.Algorithm != EdDSA {
		return Key{}, refuse(ErrAlgorithm, "its signature is by the algorithm %.20q, and %s and %s are accepted: sign it anew with ocjail bundle sign", h.Algorithm, ES256, EdDSA)
	}
	message := []byte(words[0] + "." + words[1])
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Algorithm == h.Algorithm && k.verifies(message, parts[2]) })
	if i < 0 {
		return Key{}, refuse(ErrSignature, "it was signed by the key %.16q (%s), or changed since, and these are trusted: %s; add the publisher's new key if it is theirs", h.KeyID, h.Algorithm, idsOf(keys))
	}
	var p payload
	if err := decode(parts[1], &p); err != nil {
		return Key{}, unreadable("payload: " + err.Error())
	}
	if p.Scope != "" {
		return Key{}, unreadable("it has a scope, which ocjail does not know")
	}
	return keys[i], compare(p.Files, files)
}

func idsOf(keys []Key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID[:16] + " (" + k.Algorithm + ")"
	}
	return strings.Join(ids, ", ")
}

func unreadable(why string) error {
	return refuse(ErrMalformed, "its signature can not be read (%s): sign it anew with ocjail bundle sign", why)
}

// compare holds the files to the signed list. What is signed of the structured files
// is the value: where the text is another than the signer wrote, it is written anew.
func compare(signed []signedFile, files map[string][]byte) error {
	if slices.ContainsFunc(signed, func(f signedFile) bool {
		text, ok := files[f.Name]
		return ok && slices.Contains(structured, f.Name) && digestOf(text) != f.Hash
	}) {
		if err := canonical(files); err != nil {
			return err
		}
	}
	const mend = "get it anew from its publisher, and do not use this one"
	seen := map[string]bool{}
	for _, f := range signed {
		text, ok := files[f.Name]
		switch {
		case seen[f.Name]:
			return refuse(ErrTampered, "its signature names %.100q twice: %s", f.Name, mend)
		case f.Algorithm != sha256Name:
			return refuse(ErrAlgorithm, "%.100q in it was signed by its %.20q digest, and %s is accepted: sign it anew with ocjail bundle sign", f.Name, f.Algorithm, sha256Name)
		case !ok:
			return refuse(ErrTampered, "%.100q was signed and is missing in it: %s", f.Name, mend)
		case !strings.EqualFold(digestOf(text), f.Hash):
			return refuse(ErrTampered, "%s in it is not what was signed: %s", f.Name, mend)
		}
		seen[f.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !seen[name] {
			return refuse(ErrTampered, "%s in it was not signed: %s", name, mend)
		}
	}
	return nil
}

// signature makes .signatures.json for the files.
func signature(files map[string][]byte, key Signer) ([]byte, error) {
	var p payload
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p.Files = append(p.Files, signedFile{name, digestOf(files[name]), sha256Name})
	}
	head, err := json.Marshal(header{Algorithm: key.Public().Algorithm, KeyID: key.Public().ID, Type: "JWT"})
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	message := base.EncodeToString(head) + "." + base.EncodeToString(body)
	signed, err := key.Sign([]byte(message))
	if err != nil {
		return nil, err
	}
	return json.Marshal(signatures{Signatures: []string{message + "." + base.EncodeToString(signed)}})
}
