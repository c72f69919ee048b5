package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// structured are the files of which OPA signs the value, not the text. Their names
// are not allowed elsewhere than at the root.
var structured = []string{manifestFile, dataFile}

// canonical writes the structured files anew, keys sorted and each there once, so
// that two ways to read one text can not matter.
func canonical(files map[string][]byte) error {
	for _, name := range structured {
		text, ok := files[name]
		if !ok {
			continue
		}
		v, err := parseValue(text)
		if err == nil {
			files[name], err = encodeValue(v)
		}
		if err != nil {
			return refuse(ErrMalformed, "%s in it is no JSON (%v): build it with ocjail bundle build", name, err)
		}
	}
	return nil
}

// parseValue reads JSON as OPA does, numbers as they are written.
func parseValue(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, unambiguous(json.NewDecoder(bytes.NewReader(text)))
}

// encodeValue writes JSON without escaping HTML, which OPA's digest does not either.
func encodeValue(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// digestOf is OPA's digest of a file, in hexadecimal: of the text, or of a JSON value
// with sorted keys and no space, which is how canonical writes it.
func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// IsDigest tells whether s names an archive: "sha256:" and 64 hexadecimal digits in
// lower case.
func IsDigest(s string) bool {
	sum, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(sum) == hex.EncodedLen(sha256.Size) && strings.Trim(sum, "0123456789abcdef") == ""
}

// splitData makes a list file of each document in data.json.
func splitData(text []byte) (map[string][]byte, error) {
	lists := map[string][]byte{}
	if text == nil {
		return lists, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return nil, refuse(ErrMalformed, "%s in it is no object: build it with ocjail bundle build", dataFile)
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		name := "data/" + key + ".json"
		if strings.Contains(key, "/") || badName(name) != "" {
			return nil, refuse(ErrMalformed, "the name %.100q in %s in it can not be that of a list: build it with ocjail bundle build", key, dataFile)
		}
		lists[name] = object[key]
	}
	return lists, nil
}
