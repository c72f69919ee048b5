// Package octets writes names of files, which are any bytes but NUL and / (path_resolution(7)),
// as text in UTF-8 and back, no two alike. What encoding/json does, to write U+FFFD for each byte
// that is no text, has names that differ become one.
package octets

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Escape writes a byte that is not of UTF-8, and NUL, as NUL and two hexadecimal
// digits. Of two names one is a part of the other, component by component, if what
// is written is.
func Escape(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			b.WriteString("\x00" + hex.EncodeToString([]byte{s[i]}))
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Unescape gives back what Escape wrote.
func Unescape(s string) string {
	head, rest, found := strings.Cut(s, "\x00")
	if !found {
		return s
	}
	var b strings.Builder
	b.WriteString(head)
	for found {
		head, rest, found = strings.Cut(rest, "\x00")
		digits := head[:min(2, len(head))]
		raw, err := hex.DecodeString(digits)
		if err == nil && len(raw) == 1 {
			b.Write(raw)
			head = head[2:]
		}
		b.WriteString(head)
	}
	return b.String()
}

// Marshal is JSON of v whose strings are written as by Escape, so that Unmarshal reads
// them back to the byte.
func Marshal(v any) ([]byte, error) {
	doc, err := json.Marshal(v)
	if err == nil && Lossy(doc) {
		doc, err = json.Marshal(Map(v, Escape))
	}
	return doc, err
}

// Lossy tells of a document of encoding/json's whether strings that differ may have
// become one in it: \ufffd stands for a byte that is no text, where the character of that
// number stands for itself, and \u0000 is what Escape begins with.
func Lossy(doc []byte) bool {
	return bytes.Contains(doc, []byte(`\ufffd`)) || bytes.Contains(doc, []byte(`\u0000`))
}

// Unmarshal reads what Marshal wrote.
func Unmarshal(doc []byte, to any) error {
	if err := json.Unmarshal(doc, to); err != nil {
		return err
	}
	if v := reflect.ValueOf(to).Elem(); bytes.Contains(doc, []byte(`\u0000`)) {
		v.Set(mapped(v, Unescape))
	}
	return nil
}

// Map is a copy of v, exported fields, elements and keys included, of which
// change has made every string.
func Map[T any](v T, change func(string) string) (to T) {
	reflect.ValueOf(&to).Elem().Set(mapped(reflect.ValueOf(&v).Elem(), change))
	return to
}

func mapped(v reflect.Value, change func(string) string) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	to.Set(v)
	switch v.Kind() {
	case reflect.String:
		to.SetString(change(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			to.Set(reflect.New(v.Type().Elem()))
			to.Elem().Set(mapped(v.Elem(), change))
		}
	case reflect.Interface:
		if !v.IsNil() {
			to.Set(mapped(v.Elem(), change))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if to.Field(i).CanSet() {
				to.Field(i).Set(mapped(v.Field(i), change))
			}
		}
	case reflect.Slice, reflect.Map:
		if !v.IsNil() {
			to.Set(elements(v, change))
		}
	}
	return to
}

// elements is mapped of a slice or a map.
func elements(v reflect.Value, change func(string) string) reflect.Value {
	if v.Kind() == reflect.Map {
		to := reflect.MakeMapWithSize(v.Type(), v.Len())
		for k, e := range v.Seq2() {
			to.SetMapIndex(mapped(k, change), mapped(e, change))
		}
		return to
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return v
	}
	to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		to.Index(i).Set(mapped(v.Index(i), change))
	}
	return to
}
